import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { ATTACHMENTS, type Bus } from '@fosp/bus';
import { fospError } from '@fosp/protocol';
import { temporaryDirectory } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { createFolderStore } from '../src/index.ts';
import { OBJECT, serviceWith } from './service.ts';

const BYTES = randomBytes(100_000);
const FILE = { size: String(BYTES.length), checksum: createHash('sha256').update(BYTES).digest('hex') };

/** The service in front of a folder. */
async function attachments() {
  const directory = await temporaryDirectory();
  const store = createFolderStore({ directory: directory.path, stopSeconds: 0 });
  const test = await serviceWith(store, { options: { sweepKeys: 2 } });
  return {
    ...test,
    upload: (body = BYTES) => test.upload(body),
    files: async () => {
      const entries = await readdir(directory.path, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
    },
    [Symbol.asyncDispose]: async () => {
      await test[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

describe('attachments', () => {
  it('F31 F32 stores a file and hands it out, by what objects allows', async () => {
    await using test = await attachments();
    const ticket = await test.upload();
    const file = { ...FILE, 'content-type': 'image/png', 'file-name': 'hat.png' };
    const committed = await test.bus.call(ATTACHMENTS.commit, { ...OBJECT, ...file, ticket });
    const { fields } = await test.bus.call(ATTACHMENTS.read, OBJECT);
    const read = await fetch(fields.url);

    expect(committed.fields).toEqual({ etag: '"7"' });
    expect(Buffer.compare(Buffer.from(await read.arrayBuffer()), BYTES)).toBe(0);
    expect(fields).toMatchObject({ size: FILE.size, 'content-type': 'image/png', etag: '"7"' });
    expect(fields).not.toHaveProperty('key');
    const [key] = test.rows.keys();
    expect(test.objects.asked).toEqual([
      { call: 'begin', fields: OBJECT },
      { call: 'commit', fields: { ...OBJECT, ...file, key, incarnation: 'life.1' } },
      { call: 'open', fields: OBJECT },
    ]);
  });

  it.each<[string, (bus: Bus) => Promise<unknown>]>([
    ['read', (bus) => bus.call(ATTACHMENTS.read, OBJECT)],
    ['write', (bus) => bus.call(ATTACHMENTS.write, OBJECT)],
  ])('F34 hands on why objects refuses to %s', async (_what, attempt) => {
    await using test = await attachments();
    test.objects.refusal = fospError('forbidden', 'no');
    await expect(attempt(test.bus)).rejects.toMatchObject({ code: 'forbidden', message: 'no' });
    expect(await test.files()).toEqual([]);
  });

  it.each([
    ['a right that went', () => fospError('forbidden', 'no'), 0],
    ['an object that went', () => fospError('not-found', 'no'), 0],
    ['an answer that got lost', () => fospError('timeout', 'late'), 1],
    ['an error over there', () => fospError('internal', 'oops'), 1],
  ])('F41 drops the bytes at once only where the refusal is sure: %s', async (_what, error, left) => {
    await using test = await attachments();
    const ticket = await test.upload();
    test.objects.refusal = error();
    const commit = test.bus.call(ATTACHMENTS.commit, { ...OBJECT, ...FILE, ticket });
    await expect(commit).rejects.toMatchObject({ code: error().code });
    expect(await test.files()).toHaveLength(left);
  });

  it.each([
    ['other bytes', { ...FILE, checksum: 'f'.repeat(64) }],
    ['another number of bytes', { ...FILE, size: '99999' }],
  ])('commits nothing where %s were stored than sent', async (_what, file) => {
    await using test = await attachments();
    const ticket = await test.upload();
    const commit = test.bus.call(ATTACHMENTS.commit, { ...OBJECT, ...file, ticket });
    await expect(commit).rejects.toMatchObject({ code: 'unavailable' });
    expect(test.objects.asked.map(({ call }) => call)).toEqual(['begin']);
    expect(await test.files()).toEqual([]);
  });

  it('commits nothing where no bytes came', async () => {
    await using test = await attachments();
    const { fields } = await test.bus.call(ATTACHMENTS.write, OBJECT);
    const commit = test.bus.call(ATTACHMENTS.commit, { ...OBJECT, ...FILE, ticket: fields.ticket });
    await expect(commit).rejects.toMatchObject({ code: 'unavailable' });
  });

  it.each(['', 'nothing', '../../etc/passwd.1', `${'0'.repeat(31)}.1`])(
    'refuses a ticket that it never gave: %j',
    async (ticket) => {
      await using test = await attachments();
      const commit = test.bus.call(ATTACHMENTS.commit, { ...OBJECT, ...FILE, ticket });
      await expect(commit).rejects.toMatchObject({ code: 'malformed' });
    },
  );

  it('F41 sweeps what no object needs, however many there are, and forgets it', async () => {
    await using test = await attachments();
    for (let count = 0; count < 5; count++) {
      await test.upload(Buffer.from(String(count)));
    }
    const [live = ''] = test.rows.keys();
    test.rows.set(live, 'live');
    await test.service.sweep();
    expect([...test.rows]).toEqual([[live, 'live']]);
    expect(await test.files()).toEqual([live]);
  });
});
