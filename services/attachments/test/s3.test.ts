import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { ATTACHMENTS, Bus, InProcessTransport, OBJECTS } from '@fosp/bus';
import { createLog, Metrics } from '@fosp/runtime';
import { ALICE, type S3Server, s3Installed, startBadNetwork, startS3 } from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAttachmentsService } from '../src/index.ts';
import { Bucket } from '../src/s3/client.ts';
import { createS3Store, S3_DEFAULTS, type S3Options } from '../src/s3/s3.ts';

const MIB = 1024 * 1024;
const KEY = '0123456789abcdef0123456789abcdef';
const OTHER_KEY = 'fedcba9876543210fedcba9876543210';

const without = s3Installed() ? '' : ' (left out: no Ceph; apt-get install radosgw ceph-mon ceph-osd ceph-common)';

function digestOf(bytes: Uint8Array) {
  return { size: bytes.length, checksum: createHash('sha256').update(bytes).digest('hex') };
}

function put(url: string, body: Uint8Array | ReadableStream): Promise<Response> {
  return fetch(url, { method: 'PUT', body, duplex: 'half' } as RequestInit);
}

async function get(url: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(url)).arrayBuffer());
}

/** Pieces of a body as a connection brings them, with its digest once they are through. */
function pieces(bytes: number, pieceBytes = 64 * 1024) {
  const hash = createHash('sha256');
  const piece = randomBytes(pieceBytes);
  async function* generate() {
    for (let left = bytes; left > 0; left -= pieceBytes) {
      const next = piece.subarray(0, Math.min(left, pieceBytes));
      hash.update(next);
      yield next;
    }
  }
  return { body: ReadableStream.from(generate()), digest: () => ({ size: bytes, checksum: hash.digest('hex') }) };
}

describe.skipIf(!s3Installed())(`S3 store${without}`, () => {
  let server: S3Server;
  let buckets = 0;
  beforeAll(async () => {
    server = await startS3();
  });
  afterAll(() => server.stop());

  async function s3Store(more: Partial<S3Options> = {}) {
    const { endpoint, region, accessKeyId, secretAccessKey } = server;
    const at = {
      ...{ endpoint, region, accessKeyId, secretAccessKey, bucket: `bucket-${buckets++}`, forcePathStyle: true },
      ...{ stopSeconds: 0, attempts: 2, connectTimeout: 10_000, limit: 300 * MIB },
    };
    const failures: unknown[] = [];
    const options = { ...at, failed: (_key: string, error: unknown) => failures.push(error), ...more };
    const store = createS3Store(options);
    await store.start();
    const bucket = new Bucket({ ...S3_DEFAULTS, ...options });
    return {
      ...{ store, bucket, options, failures },
      /** Uploads in parts that are neither completed nor aborted. */
      open: async () => (await bucket.uploadsBefore(Number.POSITIVE_INFINITY, 100)).length,
      [Symbol.asyncDispose]: async () => {
        await store.stop();
        bucket.close();
      },
    };
  }

  it.each([0, 1, 65_536, MIB - 1, 5 * MIB, 8 * MIB, 8 * MIB + 1, 20 * MIB])(
    'F3 F31 F32 keeps %i bytes as they are, of known size and of unknown',
    async (size) => {
      await using s3 = await s3Store();
      const bytes = randomBytes(size);
      expect((await put(await s3.store.uploadUrl(KEY, size), bytes)).status).toBe(200);
      expect((await put(await s3.store.uploadUrl(OTHER_KEY, undefined), new Blob([bytes]).stream())).status).toBe(201);
      for (const key of [KEY, OTHER_KEY]) {
        expect(await s3.store.verify(key, digestOf(bytes))).toBe('whole');
        expect(Buffer.compare(await get(await s3.store.downloadUrl(key)), bytes)).toBe(0);
      }
      expect(await s3.open()).toBe(0);
    },
  );

  it('F31 takes 200 MiB of unknown size in parts, with memory that does not grow', async () => {
    await using s3 = await s3Store();
    const sent = pieces(200 * MIB);
    const before = process.memoryUsage().rss;
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss);
    }, 20);
    const { status } = await put(await s3.store.uploadUrl(KEY, undefined), sent.body);
    clearInterval(watch);
    expect(status).toBe(201);
    // Both ends of the connection are in this process.
    expect(most - before).toBeLessThan(150 * MIB);
    const digest = sent.digest();
    const other = createS3Store(s3.options);
    expect(await other.verify(KEY, digest)).toBe('whole');
    expect(await s3.store.verify(KEY, { ...digest, checksum: 'f'.repeat(64) })).toBe('different');
    let read = 0;
    const hash = createHash('sha256');
    const { body } = await fetch(await s3.store.downloadUrl(KEY));
    for await (const piece of body as unknown as AsyncIterable<Uint8Array>) {
      read += piece.length;
      hash.update(piece);
    }
    expect({ size: read, checksum: hash.digest('hex') }).toEqual(digest);
  });

  it('F31 takes 200 MiB of known size in one piece', async () => {
    await using s3 = await s3Store();
    const bytes = Buffer.alloc(200 * MIB, 'FOSP');
    expect((await put(await s3.store.uploadUrl(KEY, bytes.length), bytes)).status).toBe(200);
    const md5 = createHash('md5').update(bytes).digest('hex');
    expect(await s3.store.verify(KEY, { ...digestOf(bytes), md5 })).toBe('whole');
  });

  it('counts its requests to S3 by operation and status, and the files that go through this process', async () => {
    await using s3 = await s3Store();
    const metrics = new Metrics();
    const store = createS3Store({ ...s3.options, metrics });
    await store.start();
    const bytes = randomBytes(9 * MIB);
    await put(await store.uploadUrl(KEY, undefined), new Blob([bytes]).stream());
    await put(await store.uploadUrl(OTHER_KEY, 3), Buffer.from('abc'));
    await get(await store.downloadUrl(KEY));
    expect(await store.verify('f'.repeat(32), digestOf(bytes))).toBe('missing');
    await store.stop();
    const { body } = await metrics.text();
    const lines = body
      .split('\n')
      .filter((line) => /^fosp_(s3_requests|attachments_transfer).*(total|count|s)[{]/.test(line));
    // What goes straight to S3 is none of them.
    expect(lines.sort()).toEqual([
      'fosp_attachments_transfer_bytes_total{direction="down"} 0',
      `fosp_attachments_transfer_bytes_total{direction="up"} ${9 * MIB}`,
      'fosp_attachments_transfer_seconds_count{direction="down"} 0',
      'fosp_attachments_transfer_seconds_count{direction="up"} 1',
      'fosp_attachments_transfers{direction="down"} 0',
      'fosp_attachments_transfers{direction="up"} 0',
      'fosp_s3_requests_total{operation="CompleteMultipartUpload",status="200"} 1',
      'fosp_s3_requests_total{operation="CreateMultipartUpload",status="200"} 1',
      'fosp_s3_requests_total{operation="HeadBucket",status="200"} 1',
      'fosp_s3_requests_total{operation="HeadObject",status="404"} 1',
      'fosp_s3_requests_total{operation="UploadPart",status="200"} 2',
    ]);
  });

  it('sends what is larger than one piece may be in parts', async () => {
    await using s3 = await s3Store({ onePieceBytes: 10 * MIB });
    const bytes = randomBytes(12 * MIB);
    const url = await s3.store.uploadUrl(KEY, bytes.length);
    expect(url.startsWith(server.endpoint)).toBe(false);
    expect((await put(url, bytes)).status).toBe(201);
    expect(await s3.store.verify(KEY, digestOf(bytes))).toBe('whole');
  });

  it('verifies what is stored, by what is known of it or by reading it', async () => {
    await using s3 = await s3Store();
    const bytes = randomBytes(MIB);
    await put(await s3.store.uploadUrl(KEY, bytes.length), bytes);
    const md5 = createHash('md5').update(bytes).digest('hex');
    const digest = digestOf(bytes);
    expect(await s3.store.verify(KEY, digest)).toBe('whole');
    expect(await s3.store.verify(KEY, { ...digest, md5 })).toBe('whole');
    // Of a server whose tags are no MD5.
    expect(await s3.store.verify(KEY, { ...digest, md5: 'f'.repeat(32) })).toBe('whole');
    expect(await s3.store.verify(KEY, { ...digest, size: 1 })).toBe('different');
    expect(await s3.store.verify(KEY, { ...digest, checksum: 'f'.repeat(64) })).toBe('different');
    expect(await s3.store.verify(OTHER_KEY, digest)).toBe('missing');
  });

  it('reads nothing to verify what it knows', async () => {
    await using s3 = await s3Store();
    const bytes = randomBytes(10 * MIB);
    // In one part, and in two.
    const RELAYED = [
      ['a'.repeat(32), MIB],
      ['b'.repeat(32), bytes.length],
    ] as const;
    const proxied = await startBadNetwork({ port: server.port });
    const counted = createS3Store({ ...s3.options, endpoint: `http://127.0.0.1:${proxied.port}` });
    const md5 = createHash('md5').update(bytes).digest('hex');
    await put(await s3.store.uploadUrl(KEY, bytes.length), bytes);
    const receipts: string[] = [];
    for (const [key, size] of RELAYED) {
      const { headers } = await put(
        await s3.store.uploadUrl(key, undefined),
        new Blob([bytes.subarray(0, size)]).stream(),
      );
      receipts.push(headers.get('fosp-receipt') ?? '');
    }
    expect(await counted.verify(KEY, { ...digestOf(bytes), md5 })).toBe('whole');
    for (const [index, [key, size]] of RELAYED.entries()) {
      const expected = { ...digestOf(bytes.subarray(0, size)), receipt: receipts[index] };
      expect(await counted.verify(key, expected)).toBe('whole');
    }
    expect(proxied.bytesToClients).toBeLessThan(10_000);
    expect(await counted.verify(KEY, digestOf(bytes))).toBe('whole');
    expect(proxied.bytesToClients).toBeGreaterThan(bytes.length);
    await counted.stop();
    await proxied[Symbol.asyncDispose]();
  });

  it('believes a receipt only for the file, the bytes and the bucket it was written for', async () => {
    await using s3 = await s3Store();
    const bytes = randomBytes(1_000);
    const stored = await put(await s3.store.uploadUrl(KEY, undefined), new Blob([bytes]).stream());
    const receipt = stored.headers.get('fosp-receipt') ?? '';
    const expected = { ...digestOf(bytes), receipt };
    const other = randomBytes(1_000);
    await put(await s3.store.uploadUrl(OTHER_KEY, 1_000), other);
    expect(await s3.store.verify(KEY, expected)).toBe('whole');
    expect(await s3.store.verify(OTHER_KEY, expected)).toBe('different');
    expect(await s3.store.verify(OTHER_KEY, { ...digestOf(other), receipt })).toBe('whole');
    expect(await s3.store.verify(KEY, { ...digestOf(other), receipt })).toBe('different');
    for (const wrong of ['', 'x', `${receipt}A`, receipt.toLowerCase()]) {
      expect(await s3.store.verify(KEY, { ...digestOf(other), receipt: wrong })).toBe('different');
    }
  });

  it('F31 F32 has the service ask for an MD5, and commits by it', async () => {
    await using s3 = await s3Store();
    const bus = new Bus(new InProcessTransport());
    const options = { concurrency: 10 };
    const verified: unknown[] = [];
    const object = { user: ALICE, tree: ALICE, path: '/pictures/hat' };
    await bus.serve(OBJECTS.beginFile, async () => ({ fields: { key: KEY, incarnation: '1' } }), options);
    await bus.serve(OBJECTS.commitFile, async () => ({ fields: { etag: '"7"' } }), options);
    const service = createAttachmentsService({
      bus,
      store: () => ({
        ...createS3Store(s3.options),
        verify: async (key, expected) => {
          verified.push(expected);
          return s3.store.verify(key, expected);
        },
      }),
      log: await createLog({ name: 'test', level: 'silent' }),
      metrics: new Metrics(),
    });
    await service.start();
    const bytes = randomBytes(1_000);
    const md5 = createHash('md5').update(bytes).digest('hex');
    const { fields } = await bus.call(ATTACHMENTS.write, { ...object, size: '1000' });
    expect(fields.digest).toBe('md5');
    await put(fields.url, bytes);
    const file = { ...object, ticket: fields.ticket, md5, size: '1000', checksum: digestOf(bytes).checksum };
    const committed = await bus.call(ATTACHMENTS.commit, file);
    expect(committed.fields).toEqual({ etag: '"7"' });
    expect(verified).toEqual([{ ...digestOf(bytes), md5 }]);
    // What goes through the relay is known by its receipt.
    const unannounced = await bus.call(ATTACHMENTS.write, object);
    expect(unannounced.fields).not.toHaveProperty('digest');
    await service.drain();
  });

  it.each([
    ['another key', (url: string) => url.replace(KEY, OTHER_KEY)],
    ['another signature', (url: string) => url.replace(/(signature=)./i, '$1_')],
    ['a later end', (url: string) => url.replace(/(expires=)\d/i, '$19')],
  ])('F34 refuses a URL that was changed: %s', async (_what, change) => {
    await using s3 = await s3Store();
    const bytes = randomBytes(10);
    await put(await s3.store.uploadUrl(KEY, 10), bytes);
    for (const url of [await s3.store.uploadUrl(KEY, 10), await s3.store.uploadUrl(KEY, undefined)]) {
      expect(change(url)).not.toBe(url);
      expect((await put(change(url), randomBytes(10))).status).toBe(403);
    }
    expect((await fetch(change(await s3.store.downloadUrl(KEY)))).status).toBe(403);
    expect(await get(await s3.store.downloadUrl(KEY))).toEqual(bytes);
    expect(await s3.store.verify(OTHER_KEY, digestOf(bytes))).toBe('missing');
  });

  it('holds an upload to the size it was announced with', async () => {
    await using s3 = await s3Store();
    expect((await put(await s3.store.uploadUrl(KEY, 10), randomBytes(11))).status).toBe(403);
    expect((await put(await s3.store.uploadUrl(KEY, 10), randomBytes(9))).status).toBe(403);
    expect(await s3.store.verify(KEY, digestOf(Buffer.alloc(0)))).toBe('missing');
  });

  it('takes no file above the limit', async () => {
    await using s3 = await s3Store({ limit: 10 * MIB });
    const { body } = pieces(11 * MIB);
    const status = await put(await s3.store.uploadUrl(KEY, undefined), body).then(
      (response) => response.status,
      () => 413,
    );
    expect(status).toBe(413);
    while ((await s3.open()) > 0) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await s3.store.verify(KEY, digestOf(Buffer.alloc(0)))).toBe('missing');
  });

  it('refuses URLs that have expired', async () => {
    await using s3 = await s3Store({ urlSeconds: 1 });
    const urls = [await s3.store.uploadUrl(KEY, 3), await s3.store.uploadUrl(KEY, undefined)];
    const download = await s3.store.downloadUrl(KEY);
    const expired = Date.now() + 1_000;
    while (Date.now() <= expired || (await fetch(download)).status !== 403) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    for (const url of urls) {
      expect((await put(url, Buffer.from('abc'))).status).toBe(403);
    }
  });

  it('leaves nothing of an upload that was cut', async () => {
    await using s3 = await s3Store();
    for (const [key, size] of [
      [KEY, 30 * MIB],
      [OTHER_KEY, undefined],
    ] as const) {
      const headers = size === undefined ? {} : { 'content-length': size };
      const sent = request(await s3.store.uploadUrl(key, size), { method: 'PUT', headers });
      sent.on('error', () => undefined);
      sent.write(randomBytes(20 * MIB));
      if (size === undefined) {
        while ((await s3.open()) === 0) {
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      }
      sent.destroy();
      while ((await s3.open()) > 0) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      expect(await s3.bucket.head(key)).toBeUndefined();
    }
  });

  it('F41 aborts what a process left that died in the middle, and nothing younger', async () => {
    const time = { now: Date.now() };
    await using s3 = await s3Store({ clock: () => time.now, uploadSeconds: 60 });
    for (const key of [KEY, OTHER_KEY]) {
      const upload = await s3.bucket.begin(key);
      const body = randomBytes(100);
      await s3.bucket.part(upload, 1, { body, md5: createHash('md5').update(body).digest('base64') });
    }
    expect(await s3.store.clean()).toBe(0);
    time.now += 120_000;
    expect(await s3.store.clean()).toBe(2);
    expect(await s3.open()).toBe(0);
    expect(await s3.store.clean()).toBe(0);
  });

  it('F41 removes files, and ends uploads to their keys', async () => {
    await using s3 = await s3Store();
    await put(await s3.store.uploadUrl(OTHER_KEY, 3), Buffer.from('abc'));
    const sent = request(await s3.store.uploadUrl(KEY, undefined), { method: 'PUT' });
    const status = new Promise<number>((resolve) => {
      sent.on('response', (response) => resolve(response.resume().statusCode ?? 0));
      sent.on('error', () => resolve(404));
    });
    sent.write(randomBytes(9 * MIB));
    while ((await s3.open()) === 0) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await s3.store.remove([KEY, OTHER_KEY, 'a'.repeat(32)]);
    sent.end('more');
    expect(await status).toBe(404);
    expect(await s3.bucket.head(KEY)).toBeUndefined();
    expect(await s3.bucket.head(OTHER_KEY)).toBeUndefined();
    expect(await s3.open()).toBe(0);
  });

  it('names its error while the server is gone, leaves nothing half, and goes on after', async () => {
    await using s3 = await s3Store();
    const bytes = randomBytes(20 * MIB);
    const running = request(await s3.store.uploadUrl(KEY, undefined), { method: 'PUT' });
    const status = new Promise<number>((resolve, reject) => {
      running.on('response', (response) => resolve(response.resume().statusCode ?? 0));
      running.on('error', reject);
    });
    running.write(bytes);
    while ((await s3.open()) === 0) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await server.kill();
    running.end(bytes);
    expect(await status).toBe(503);
    const refusal = { code: 'unavailable', headers: { 'Retry-After': '1' } };
    await expect(s3.store.verify(KEY, digestOf(bytes))).rejects.toMatchObject(refusal);
    await expect(s3.store.remove([KEY])).rejects.toMatchObject(refusal);
    await expect(s3.store.clean()).rejects.toMatchObject(refusal);
    await expect(s3.store.check()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(put(await s3.store.uploadUrl(KEY, bytes.length), bytes)).rejects.toThrow();
    await server.restart();
    expect(await s3.store.verify(KEY, digestOf(bytes))).toBe('missing');
    expect((await put(await s3.store.uploadUrl(KEY, bytes.length), bytes)).status).toBe(200);
    expect(await s3.store.verify(KEY, digestOf(bytes))).toBe('whole');
    const later = createS3Store({ ...s3.options, clock: () => Date.now() + 24 * 3_600_000 });
    await later.clean();
    expect(await s3.open()).toBe(0);
  });
});
