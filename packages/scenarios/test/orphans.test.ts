/**
 * Files that nobody knows of go, while others come and go all the time: the real services, over both kinds of stores. A file that
 * went wrongly would fail the WRITE that it belongs to, or the READ in the end. The number of those that went may be above
 * that of the lost: a file that the sweeper deletes between a listing and the question counts as well.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { FospClient } from '@fosp/client';
import { Metrics } from '@fosp/runtime';
import { createStandalone } from '@fosp/standalone';
import { infrastructureInstalled, startInfrastructure, temporaryDirectory } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';

/** What is written now is old by the server's clock. */
const AHEAD = 30 * 86_400_000;
const LOST = 25;
const WRITERS = 4;
const OBJECTS = 20;
const ROUNDS = 60;

const ENVIRONMENT = {
  FOSP_DOMAIN: 'wonderland.lit',
  FOSP_HOST: '127.0.0.1',
  FOSP_WS_PORT: '0',
  FOSP_HASH_MEMORY: '1 MiB',
  FOSP_SWEEP_SECONDS: '1',
  FOSP_TRANSFER_SECONDS: '10',
  FOSP_ORPHAN_SWEEP_SECONDS: '1',
  FOSP_ORPHAN_DOUBT_SECONDS: '0',
};

/** Loses the rows of `LOST` files, which alice has below `/lost`. */
type Lose = (alice: FospClient) => Promise<void>;

async function sweepWhileWriting(environment: Readonly<Record<string, string>>, lose: Lose): Promise<void> {
  const metrics = new Metrics();
  const clock = () => Date.now() + AHEAD;
  const server = createStandalone({ ...ENVIRONMENT, ...environment }, { metrics, clock });
  const { url } = await server.start();
  const deleted = async () => {
    const { body } = await metrics.text();
    return Number(/^fosp_attachments_orphans_deleted_total (\d+)$/m.exec(body)?.[1]);
  };
  try {
    const guest = await FospClient.connect({ url });
    await guest.register('alice', 'secret');
    guest.close();
    const alice = await FospClient.connect({ url, credentials: { user: 'alice', password: 'secret' } });
    await lose(alice);
    const files = new Map<string, string>();
    const isOver = async (rounds: number) => rounds >= ROUNDS && (await deleted()) >= LOST;
    const writers = Array.from({ length: WRITERS }, (_, writer) => writeAndDelete(alice, { writer, files, isOver }));
    await Promise.all(writers);
    expect(files.size).toBe(WRITERS * OBJECTS);
    for (const [id, checksum] of files) {
      expect(await checksumOf(alice, id)).toBe(checksum);
    }
    alice.close();
  } finally {
    await server.drain();
  }
}

interface Writing {
  readonly writer: number;
  /** What each object's file should be. */
  readonly files: Map<string, string>;
  /** Once enough was written, and all that was lost is gone. */
  readonly isOver: (rounds: number) => Promise<boolean>;
}

/** Files by the dozen, replaced and deleted, small ones and such as come without their size. */
async function writeAndDelete(alice: FospClient, { writer, files, isOver }: Writing): Promise<void> {
  for (let round = 0; !(await isOver(round)); round++) {
    const id = `alice@wonderland.lit/file-${writer}-${round % OBJECTS}`;
    const bytes = randomBytes(1 + ((round * 7919) % 100_000));
    if (files.has(id) && round % 3 === 0) {
      await alice.delete(id);
      files.delete(id);
    }
    if (!files.has(id)) {
      await alice.create(id);
    }
    await alice.write(id, round % 2 === 0 ? bytes : piecesOf(bytes));
    files.set(id, createHash('sha256').update(bytes).digest('hex'));
  }
}

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 20_000) {
    yield bytes.subarray(at, at + 20_000);
  }
}

async function checksumOf(alice: FospClient, id: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of (await alice.read(id)).body) {
    hash.update(piece);
  }
  return hash.digest('hex');
}

const TIMEOUT = { timeout: 180_000 };

describe('files that nobody knows of', () => {
  it('F31 F32 F41 go from a folder, and no others, during writes', TIMEOUT, async () => {
    await using directory = await temporaryDirectory();
    const folder = join(directory.path, 'attachments', 'files');
    const lost = new Set<string>();
    await sweepWhileWriting({ FOSP_DATA_DIR: directory.path }, async (alice) => {
      await alice.create('alice@wonderland.lit/known');
      await alice.write('alice@wonderland.lit/known', randomBytes(10));
      const [shard = ''] = await readdir(folder);
      const [known = ''] = await readdir(join(folder, shard));
      while (lost.size < LOST) {
        // Keys of this database end alike.
        const key = randomBytes(12).toString('hex') + known.slice(24);
        await mkdir(join(folder, key.slice(0, 2)), { recursive: true });
        await writeFile(join(folder, key.slice(0, 2), key), 'lost');
        lost.add(key);
      }
    });
    const left = await readdir(folder, { recursive: true });
    expect(left.filter((path) => lost.has(basename(path)))).toEqual([]);
  });

  it.skipIf(!infrastructureInstalled())('F31 F32 F41 go from S3, and no others, during writes', TIMEOUT, async () => {
    await using infrastructure = await startInfrastructure();
    await using directory = await temporaryDirectory();
    const { environment, postgres } = infrastructure;
    await sweepWhileWriting({ ...environment, FOSP_DATA_DIR: directory.path }, async (alice) => {
      await alice.create('alice@wonderland.lit/lost');
      for (let count = 0; count < LOST; count++) {
        await alice.create(`alice@wonderland.lit/lost/${count}`);
        await alice.write(`alice@wonderland.lit/lost/${count}`, randomBytes(10));
      }
      // As an older backup would have it.
      const url = environment['FOSP_POSTGRES_URL'];
      await postgres.sql("DELETE FROM objects WHERE path LIKE '/lost%'", url);
      await postgres.sql("DELETE FROM files WHERE path LIKE '/lost%'", url);
    });
  });
});
