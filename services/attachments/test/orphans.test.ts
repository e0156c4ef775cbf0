/** Files that nobody knows of are deleted, and no others, whatever is going on meanwhile. */
import { randomBytes } from 'node:crypto';
import { ATTACHMENTS } from '@fosp/bus';
import { fospError } from '@fosp/protocol';
import { type S3Server, s3Installed, startS3, temporaryDirectory } from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AttachmentsOptions, createFolderStore, type FileStore } from '../src/index.ts';
import { createS3Store } from '../src/s3/s3.ts';
import { OBJECT, serviceWith } from './service.ts';

const AGE = 86_400;
const DOUBT = 3_600;

type OpenStore = () => Promise<{ readonly store: FileStore } & AsyncDisposable>;

/** Every file of the store, page by page. */
async function keysIn(store: FileStore): Promise<string[]> {
  const keys: string[] = [];
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page = await store.list(after, 5);
    keys.push(...page.files.map(({ key }) => key));
    after = page.next;
  }
  return keys;
}

function promises(openStore: OpenStore): void {
  async function open(options: AttachmentsOptions = {}) {
    const opened = await openStore();
    const time = { now: Date.now() };
    const test = await serviceWith(opened.store, {
      clock: () => time.now,
      options: { orphanSweepSeconds: 0, orphanAgeSeconds: AGE, orphanDoubtSeconds: DOUBT, ...options },
    });
    return {
      ...{ ...test, time, store: opened.store },
      look: () => test.service.findOrphans(),
      /** As if the row had been claimed and forgotten before the bytes came, or were in no backup. */
      orphan: async () => {
        await test.upload(randomBytes(10));
        const key = test.objects.given.at(-1) ?? '';
        test.rows.delete(key);
        return key;
      },
      [Symbol.asyncDispose]: async () => {
        await test[Symbol.asyncDispose]();
        await opened[Symbol.asyncDispose]();
      },
    };
  }

  it('F41 deletes what has no row at two looks, once it is old; nothing with a row, and nothing that is not ours', async () => {
    await using test = await open();
    for (const state of ['pending', 'live', 'claimed'] as const) {
      await test.upload(randomBytes(10));
      test.rows.set(test.objects.given.at(-1) ?? '', state);
    }
    const another = randomBytes(16).toString('hex');
    await fetch(await test.store.uploadUrl(another, 3), { method: 'PUT', body: 'abc' });
    const lost = [await test.orphan(), await test.orphan()];
    const kept = [another, ...test.rows.keys()];
    // The first page begins anywhere: two are once around.
    const lookAround = async () => {
      await test.look();
      await test.look();
    };
    await lookAround();
    test.time.now += DOUBT * 1000;
    await lookAround();
    expect((await keysIn(test.store)).sort()).toEqual([...kept, ...lost].sort());
    test.time.now += AGE * 1000;
    await lookAround();
    test.time.now += DOUBT * 1000 - 1;
    await lookAround();
    expect((await keysIn(test.store)).sort()).toEqual([...kept, ...lost].sort());
    test.time.now += 1;
    await test.look();
    expect((await keysIn(test.store)).sort()).toEqual(kept.sort());
    expect(await test.metric('fosp_attachments_orphans_deleted_total')).toBe(2);
  });

  it('keeps what has a row again at the second look', async () => {
    await using test = await open({ orphanAgeSeconds: 0 });
    const keys = [await test.orphan(), await test.orphan()];
    test.time.now += 60_000;
    await test.look();
    await test.look();
    test.rows.set(keys[0] ?? '', 'live');
    test.time.now += DOUBT * 1000;
    await test.look();
    expect(await keysIn(test.store)).toEqual([keys[0]]);
  });

  it('goes on page by page from wherever it began, and holds no more than its bound', async () => {
    await using test = await open({ orphanAgeSeconds: 0, orphanDoubtSeconds: 0, orphanPage: 3, orphanSuspects: 3 });
    const all = 20;
    for (let count = 0; count < all; count++) {
      await test.orphan();
    }
    test.time.now += 60_000;
    let looks = 0;
    for (let left = all; left > 0; looks++) {
      await test.look();
      const now = (await keysIn(test.store)).length;
      expect(left - now).toBeLessThanOrEqual(5);
      left = now;
    }
    expect(looks).toBeLessThanOrEqual(all + 3);
  });

  it('deletes nothing while nobody says what is lost, and skips nothing for it', async () => {
    await using test = await open({ orphanAgeSeconds: 0, orphanDoubtSeconds: 0, orphanPage: 1 });
    const keys = [await test.orphan(), await test.orphan(), await test.orphan()];
    test.time.now += 60_000;
    test.objects.refusal = fospError('unavailable', 'gone');
    for (let count = 0; count < 5; count++) {
      await test.look().catch(() => undefined);
    }
    expect(await keysIn(test.store)).toHaveLength(keys.length);
    test.objects.refusal = undefined;
    for (let count = 0; count < keys.length + 2; count++) {
      await test.look();
    }
    expect(await keysIn(test.store)).toEqual([]);
  });

  it('F31 F41 touches no upload that is running or done, however young it may be', async () => {
    // A minute ahead: whatever is listed counts as old, and as doubted for long enough.
    await using test = await open({ orphanAgeSeconds: 0, orphanDoubtSeconds: 0, orphanPage: 7 });
    test.time.now += 60_000;
    const seen = { looks: 0, pending: 0, wrong: 0 };
    let isOver = false;
    const looking = (async () => {
      for (; !isOver; seen.looks++) {
        const before = new Map(test.rows);
        await test.look();
        const there = new Set(await keysIn(test.store));
        seen.wrong += [...before].filter(([key, state]) => state === 'live' && !there.has(key)).length;
        seen.pending += [...before].filter(([key, state]) => state === 'pending' && there.has(key)).length;
      }
    })();
    const orphans: string[] = [];
    const uploader = async (worker: number) => {
      for (let round = 0; round < 20; round++) {
        const { fields } = await test.bus.call(ATTACHMENTS.write, { ...OBJECT, size: '100' });
        const key = fields.ticket.split('.')[0] ?? '';
        const isLate = (round + worker) % 5 === 0;
        if (isLate) {
          test.rows.delete(key);
          orphans.push(key);
        }
        await fetch(fields.url, { method: 'PUT', body: randomBytes(100) });
        if (!isLate && round % 3 > 0) {
          test.rows.set(key, 'live');
        }
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, worker) => uploader(worker)));
    isOver = true;
    await looking;
    for (let count = 0; count < 100 && (await keysIn(test.store)).length > test.rows.size; count++) {
      await test.look();
    }
    expect((await keysIn(test.store)).sort()).toEqual([...test.rows.keys()].sort());
    expect(seen.wrong).toBe(0);
    expect(await test.metric('fosp_attachments_orphans_deleted_total')).toBe(orphans.length);
    expect(orphans.length).toBeGreaterThan(0);
    expect(Math.min(seen.looks, seen.pending)).toBeGreaterThan(0);
  });
}

describe('orphans in a folder', () => {
  promises(async () => {
    const directory = await temporaryDirectory();
    const store = createFolderStore({ directory: directory.path, stopSeconds: 0 });
    return { store, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
  });
});

const without = s3Installed() ? '' : ' (left out: no Ceph; apt-get install radosgw ceph-mon ceph-osd ceph-common)';

describe.skipIf(!s3Installed())(`orphans in S3${without}`, () => {
  let server: S3Server;
  let buckets = 0;
  beforeAll(async () => {
    server = await startS3();
  });
  afterAll(() => server.stop());

  promises(async () => {
    const bucket = `bucket-${buckets++}`;
    const store = createS3Store({ ...server, port: 0, bucket, forcePathStyle: true, stopSeconds: 0 });
    return { store, [Symbol.asyncDispose]: async () => undefined };
  });
});
