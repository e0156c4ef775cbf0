import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, truncate, utimes, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { Inbox, temporaryDirectory } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { createFolderStore, type FolderOptions } from '../src/index.ts';

const MIB = 1024 * 1024;
const KEY = '0123456789abcdef0123456789abcdef';
const OTHER_KEY = 'fedcba9876543210fedcba9876543210';

async function folderStore(options: Partial<FolderOptions> = {}) {
  const directory = await temporaryDirectory();
  const store = createFolderStore({ directory: directory.path, stopSeconds: 0, ...options });
  await store.start();
  return {
    store,
    directory: directory.path,
    /** Paths of all files in the folder, below it. */
    files: async () => {
      const entries = await readdir(directory.path, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(directory.path.length));
    },
    [Symbol.asyncDispose]: async () => {
      await store.stop();
      await directory[Symbol.asyncDispose]();
    },
  };
}

function digestOf(bytes: Uint8Array) {
  return { size: bytes.length, checksum: createHash('sha256').update(bytes).digest('hex') };
}

function put(url: string, body: Uint8Array | ReadableStream): Promise<Response> {
  return fetch(url, { method: 'PUT', body, duplex: 'half' } as RequestInit);
}

/** A PUT whose body is sent by hand. */
function openPut(url: string, headers: Record<string, string | number> = {}) {
  const sent = request(url, { method: 'PUT', headers });
  const closed = new Promise<void>((resolve) => sent.on('close', resolve));
  const status = new Promise<number>((resolve, reject) => {
    sent.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject);
  });
  status.catch(() => undefined);
  return { sent, status, closed };
}

/** Resolves once the folder holds a file for which `found` is true: tests wait for it, since nobody tells them. */
async function untilFile(files: () => Promise<string[]>, found: (path: string) => boolean): Promise<void> {
  while (!(await files()).some(found)) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('folder store', () => {
  it.each([0, 1, 65_536, MIB - 1, MIB, 4 * MIB + 1, 20 * MIB])(
    'F3 F31 F32 keeps %i bytes as they are',
    async (size) => {
      await using folder = await folderStore();
      const bytes = randomBytes(size);

      const stored = await put(await folder.store.uploadUrl(KEY, size), bytes);
      expect(stored.status).toBe(201);
      expect(await folder.store.verify(KEY, digestOf(bytes))).toBe('whole');

      const read = await fetch(await folder.store.downloadUrl(KEY));
      expect(read.headers.get('content-length')).toBe(String(size));
      expect(Buffer.compare(Buffer.from(await read.arrayBuffer()), bytes)).toBe(0);
    },
  );

  it('F31 takes a file whose size is not known before', async () => {
    await using folder = await folderStore();
    const pieces = [randomBytes(100_000), randomBytes(3)];
    const stored = await put(await folder.store.uploadUrl(KEY, undefined), ReadableStream.from(pieces));
    expect(stored.status).toBe(201);
    expect(await folder.store.verify(KEY, digestOf(Buffer.concat(pieces)))).toBe('whole');
  });

  it('verifies by reading where the upload is not remembered', async () => {
    await using folder = await folderStore({ digests: 0 });
    const bytes = randomBytes(3 * MIB);
    await put(await folder.store.uploadUrl(KEY, bytes.length), bytes);
    expect(await folder.store.verify(KEY, digestOf(bytes))).toBe('whole');
    expect(await folder.store.verify(KEY, { ...digestOf(bytes), size: 1 })).toBe('different');
    expect(await folder.store.verify(KEY, digestOf(randomBytes(3)))).toBe('different');
    expect(await folder.store.verify(OTHER_KEY, digestOf(bytes))).toBe('missing');
  });

  it('shows a file to nobody before it is whole', async () => {
    await using folder = await folderStore();
    const upload = openPut(await folder.store.uploadUrl(KEY, 10), { 'content-length': 10 });
    upload.sent.write('12345');
    await untilFile(folder.files, (path) => path.startsWith('/incoming/'));
    expect((await fetch(await folder.store.downloadUrl(KEY))).status).toBe(404);
    expect(await folder.store.verify(KEY, digestOf(Buffer.from('12345')))).toBe('missing');
    upload.sent.end('67890');
    expect(await upload.status).toBe(201);
    expect(await folder.files()).toEqual([`/files/01/${KEY}`]);
  });

  it('leaves nothing of an upload that was cut', async () => {
    await using folder = await folderStore();
    const upload = openPut(await folder.store.uploadUrl(KEY, 5 * MIB), { 'content-length': 5 * MIB });
    upload.sent.write(randomBytes(3 * MIB));
    await untilFile(folder.files, (path) => path.startsWith('/incoming/'));
    upload.sent.destroy();
    while ((await folder.files()).length > 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  it('ends an upload to a key that is removed, and lets a running download end', async () => {
    await using folder = await folderStore();
    const bytes = randomBytes(20 * MIB);
    await put(await folder.store.uploadUrl(KEY, bytes.length), bytes);
    const download = await fetch(await folder.store.downloadUrl(KEY));
    const upload = openPut(await folder.store.uploadUrl(OTHER_KEY, 10), { 'content-length': 10 });
    upload.sent.write('12345');
    await untilFile(folder.files, (path) => path.startsWith('/incoming/'));

    await folder.store.remove([KEY, OTHER_KEY]);
    upload.sent.end('67890');

    expect(await upload.status).toBe(404);
    expect(await folder.files()).toEqual([]);
    expect(digestOf(Buffer.from(await download.arrayBuffer()))).toEqual(digestOf(bytes));
    expect((await fetch(await folder.store.downloadUrl(KEY))).status).toBe(404);
  });

  it('holds a few MiB for a reader that stops, and goes on serving others', async () => {
    await using folder = await folderStore();
    await put(await folder.store.uploadUrl(KEY, 1), Buffer.from('a'));
    await truncate(join(folder.directory, 'files', '01', KEY), 256 * MIB);
    const before = process.memoryUsage().arrayBuffers;

    const stalled = request(await folder.store.downloadUrl(KEY)).end();
    const [response] = (await once(stalled, 'response')) as [IncomingMessage];
    response.pause();
    for (let count = 0; count < 20; count++) {
      const key = randomBytes(16).toString('hex');
      expect((await put(await folder.store.uploadUrl(key, MIB), randomBytes(MIB))).status).toBe(201);
    }

    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(128 * MIB);
    let received = 0;
    for await (const piece of response) {
      received += piece.length;
    }
    expect(received).toBe(256 * MIB);
  });

  it('cuts a download that the disk cannot complete, and tells of it', async () => {
    const failures = new Inbox<unknown>('a failure');
    await using folder = await folderStore({ failed: (_key, error) => failures.add(error) });
    await put(await folder.store.uploadUrl(KEY, 1), Buffer.from('a'));
    const path = join(folder.directory, 'files', '01', KEY);
    await truncate(path, 64 * MIB);
    const download = request(await folder.store.downloadUrl(KEY)).end();
    const [response] = (await once(download, 'response')) as [IncomingMessage];
    response.pause();
    await truncate(path, 0);
    await expect(response.toArray()).rejects.toThrow('aborted');
    expect(String(await failures.next())).toContain('The file ended after');
  });

  it('removes what a crash left behind, once it is old', async () => {
    let now = Date.now();
    await using folder = await folderStore({ clock: () => now, uploadSeconds: 60 });
    const leftover = join(folder.directory, 'incoming', `${KEY}.7`);
    await writeFile(leftover, 'half');
    await utimes(leftover, now / 1000, now / 1000);
    expect(await folder.store.clean()).toBe(0);
    now += 61_000;
    expect(await folder.store.clean()).toBe(1);
    expect(await folder.files()).toEqual([]);
  });
});

describe('transfer URLs', () => {
  const bytes = Buffer.from('a file');
  type Folder = Awaited<ReturnType<typeof folderStore>>;

  it.each<[string, number, (folder: Folder) => Promise<Response>]>([
    ['a PUT with a URL for GET', 403, async ({ store }) => put(await store.downloadUrl(KEY), bytes)],
    ['a GET with a URL for PUT', 403, async ({ store }) => fetch(await store.uploadUrl(KEY, 6))],
    ['another key', 403, async ({ store }) => fetch((await store.downloadUrl(KEY)).replace(KEY, OTHER_KEY))],
    ['a path', 403, async ({ store }) => fetch((await store.downloadUrl(KEY)).replace(KEY, '..%2Fincoming'))],
    ['another size', 403, async ({ store }) => put((await store.uploadUrl(KEY, 5)).replace('size=5', 'size=6'), bytes)],
    ['no signature', 403, async ({ store }) => fetch((await store.downloadUrl(KEY)).replace(/&signature.*/, ''))],
    ['a longer life', 403, async ({ store }) => fetch((await store.downloadUrl(KEY)).replace('expires=', 'expires=9'))],
    ['more bytes than granted', 400, async ({ store }) => put(await store.uploadUrl(KEY, 5), bytes)],
    ['fewer bytes than granted', 400, async ({ store }) => put(await store.uploadUrl(KEY, 7), bytes)],
    [
      'more bytes than any file may have',
      413,
      async ({ store }) => put(await store.uploadUrl(KEY, 11), Buffer.alloc(11)),
    ],
    [
      'more bytes than any file may have, unannounced',
      413,
      async ({ store }) => put(await store.uploadUrl(KEY, undefined), ReadableStream.from([bytes, bytes])),
    ],
    ['what is not there', 404, async ({ store }) => fetch(await store.downloadUrl(KEY))],
  ])('refuses %s: %i', async (_what, status, attempt) => {
    await using folder = await folderStore({ limit: 10 });
    expect((await attempt(folder)).status).toBe(status);
    expect(await folder.files()).toEqual([]);
  });

  it('serves a URL until it expires', async () => {
    let now = 1_000_000;
    await using folder = await folderStore({ clock: () => now, urlSeconds: 60 });
    const upload = await folder.store.uploadUrl(KEY, 6);
    const download = await folder.store.downloadUrl(KEY);
    now += 59_999;
    expect((await put(upload, bytes)).status).toBe(201);
    expect((await fetch(download)).status).toBe(200);
    now += 1;
    expect((await put(upload, bytes)).status).toBe(403);
    expect((await fetch(download)).status).toBe(403);
  });

  it('takes one file per key', async () => {
    await using folder = await folderStore();
    const url = await folder.store.uploadUrl(KEY, 6);
    expect((await put(url, bytes)).status).toBe(201);
    expect((await put(url, Buffer.from('others'))).status).toBe(409);
    expect(await folder.store.verify(KEY, digestOf(bytes))).toBe('whole');
  });

  it('do not survive their process', async () => {
    await using folder = await folderStore();
    const url = await folder.store.uploadUrl(KEY, 6);
    const again = createFolderStore({ directory: folder.directory });
    await again.start();
    const { port } = new URL(await again.downloadUrl(KEY));
    const moved = new URL(url);
    moved.port = port;
    expect((await put(moved.href, bytes)).status).toBe(403);
    await again.stop();
  });

  it('answers 503 over its number of transfers, and stops with one running', async () => {
    await using folder = await folderStore({ transfers: 1 });
    const upload = openPut(await folder.store.uploadUrl(KEY, 10), { 'content-length': 10 });
    upload.sent.write('12345');
    await untilFile(folder.files, (path) => path.startsWith('/incoming/'));
    expect((await put(await folder.store.uploadUrl(OTHER_KEY, 6), bytes)).status).toBe(503);
    await folder.store.stop();
    await expect(upload.status).rejects.toThrow();
    await upload.closed;
  });
});
