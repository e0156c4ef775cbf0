/** Uploads and downloads by the SDK, those that break off midway included. */
import { createHash, randomBytes } from 'node:crypto';
import { ALICE, PASSWORD } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { failureOf, Home } from '../src/home.ts';
import { Relay } from '../src/relay.ts';

const MIB = 1024 * 1024;
const FILE = `${ALICE}/file`;

async function* inPieces(bytes: Uint8Array, length = 100_000): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) {
    yield bytes.subarray(at, at + length);
  }
}

async function* breakingOff(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield* inPieces(bytes);
  throw new Error('the disk is gone');
}

async function hashOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of body) {
    hash.update(piece);
  }
  return hash.digest('hex');
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('files by the client', () => {
  it.each([
    ['as bytes', 3 * MIB, 'bytes'],
    ['as few bytes', 10, 'bytes'],
    ['as no bytes', 0, 'bytes'],
    ['as a stream of known size', 3 * MIB, 'sized'],
    ['as a stream of unknown size', 3 * MIB, 'stream'],
    ['as an empty stream', 0, 'stream'],
  ])('F31 F32 F40 F3 stores a file %s and gives it back', async (_, size, form) => {
    await using home = await Home.start();
    const alice = await home.register('alice');
    await alice.create(FILE);
    const bytes = randomBytes(size);
    const told: (number | undefined)[][] = [];
    await alice.write(FILE, form === 'bytes' ? bytes : inPieces(bytes), {
      contentType: 'image/png',
      fileName: 'Grüße: 1.png',
      ...(form === 'sized' ? { size } : {}),
      onProgress: (done, total) => told.push([done, total]),
    });
    expect(told[0]).toEqual([0, form === 'stream' ? undefined : size]);
    expect(told.at(-1)?.[0]).toBe(size);
    const download = await alice.read(FILE);
    expect(download).toMatchObject({ contentType: 'image/png', fileName: 'Grüße: 1.png' });
    expect(await hashOf(download.body)).toBe(hash(bytes));
    expect((await alice.select(FILE)).value.attachment).toMatchObject({ size, name: 'Grüße: 1.png' });
  });

  it.each([
    ['fails before its first piece', () => breakingOff(new Uint8Array(0)), {}, 'the disk is gone'],
    ['fails midway', () => breakingOff(new Uint8Array(MIB)), {}, 'the disk is gone'],
    ['is shorter than announced', () => inPieces(new Uint8Array(MIB)), { size: 2 * MIB }, '2097152 were announced'],
    ['is over the limit', () => inPieces(new Uint8Array(5 * MIB)), {}, 'larger than the 4194304 bytes'],
    ['announces too much', () => inPieces(new Uint8Array(0)), { size: 5 * MIB }, 'the server takes 4194304'],
  ])('F31 leaves the old file where a body %s, and goes on', async (_, body, options, message) => {
    await using home = await Home.start({ FOSP_LIMIT_ATTACHMENT: String(4 * MIB) });
    const alice = await home.register('alice');
    await alice.create(FILE);
    await alice.write(FILE, Buffer.from('the old file'));
    expect(await failureOf(alice.write(FILE, body(), options))).toMatchObject({
      message: expect.stringContaining(message),
    });
    expect(await hashOf((await alice.read(FILE)).body)).toBe(hash(Buffer.from('the old file')));
    await alice.write(FILE, inPieces(Buffer.from('the new file')));
    expect(await hashOf((await alice.read(FILE)).body)).toBe(hash(Buffer.from('the new file')));
  });

  it('F32 goes on after a download that was left early, cancelled, or refused', async () => {
    await using home = await Home.start();
    const alice = await home.register('alice');
    await alice.create(FILE);
    await alice.write(FILE, randomBytes(8 * MIB));
    for await (const piece of (await alice.read(FILE)).body) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
    (await alice.read(FILE)).cancel();
    expect(await failureOf(alice.read(`${ALICE}/`))).toMatchObject({ code: 'not-found' });
    expect((await alice.select(FILE)).value.attachment?.size).toBe(8 * MIB);
  });

  it('F32 takes no more of a file than its reader does', async () => {
    await using home = await Home.start();
    const alice = await home.register('alice');
    await alice.create(FILE);
    const bytes = randomBytes(60 * MIB);
    await alice.write(FILE, bytes);
    await using relay = await Relay.start(home.url);
    const reader = await home.connect({ url: relay.url, credentials: { user: 'alice', password: PASSWORD } });
    const download = await reader.read(FILE);
    const digest = createHash('sha256');
    let seen = 0;
    for await (const piece of download.body) {
      if (seen === 0) {
        // Time enough for the whole file to arrive, if anything let it.
        await alice.write(FILE, bytes);
        expect(relay.received).toBeLessThan(bytes.length / 2);
      }
      seen += piece.length;
      digest.update(piece);
    }
    expect(digest.digest('hex')).toBe(hash(bytes));
  });

  it('F32 says so where the connection is lost in the middle of a download', async () => {
    await using home = await Home.start();
    const alice = await home.register('alice');
    await alice.create(FILE);
    await alice.write(FILE, randomBytes(60 * MIB));
    const download = await alice.read(FILE);
    const reading = async (): Promise<void> => {
      for await (const _ of download.body) {
        await home.stop('SIGKILL');
      }
    };
    expect(await failureOf(reading())).toMatchObject({ code: 'unreachable' });
    await home.restart('SIGKILL');
    expect((await alice.select(FILE)).value.attachment?.size).toBe(60 * MIB);
  });
});
