/** What SQLite's store does where the disk, the folder or another version gets in its way; and how large its log becomes. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteStore, type Store } from '../src/index.ts';
import type { Migration } from '../src/store/migrations.ts';
import { LogSync } from '../src/store/sqlite/log-sync.ts';
import { knownMigrations } from '../src/store/sqlite/migrate.ts';
import { plant } from '../suite/samples.ts';
import { ALICE } from './world.ts';

const FULL_DISK = fileURLToPath(new URL('./children/full-disk-child.ts', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fosp-disk-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a full disk', () => {
  it('makes writes 503, loses none that was acknowledged, and leaves reads alone', async () => {
    // No file may grow over 1 MiB; who tries gets an error, not the signal that would end it.
    const script = `trap '' XFSZ; ulimit -f 2048; exec "${process.execPath}" "${FULL_DISK}" "${folder}"`;
    const { stdout } = await promisify(execFile)('sh', ['-c', script]);
    const { acknowledged, names, refused, troubles } = JSON.parse(stdout);
    expect(acknowledged.length).toBeGreaterThan(10);
    expect(names).toEqual(acknowledged);
    expect(new Set(refused.map((reason: unknown) => JSON.stringify(reason)))).toEqual(
      new Set(['{"code":"unavailable","headers":{"Retry-After":"1"}}']),
    );
    expect(troubles).toBeGreaterThan(0);
    const store = openSqliteStore({ folder });
    const after = await store.listing(ALICE, '', { after: undefined, limit: 10_000, mayList: () => true });
    expect([...after.names].sort()).toEqual(acknowledged);
    await plant(store, ALICE, ['/after']);
    await store.close();
  });

  it('a sync that failed is never taken back: nothing counts as durable any more', async () => {
    // The device refuses to be synced, as a broken disk would.
    const sync = new LogSync('/dev/full', () => undefined);
    const [first, second] = [sync.durable(), sync.durable()];
    await expect(first).rejects.toThrow('could not be synced');
    await expect(second).rejects.toThrow('could not be synced');
    await expect(sync.durable()).rejects.toThrow('could not be synced');
    expect(sync.failure).toBe(await sync.failed);
    await sync.close();
  });

  it('one sync covers all commits before it began, and none after', async () => {
    const path = join(folder, 'log');
    writeFileSync(path, 'commits');
    const sync = new LogSync(path, () => undefined);
    const first = sync.durable();
    const [second, third] = [sync.durable(), sync.durable()];
    expect(second).not.toBe(first);
    expect(third).toBe(second);
    await first;
    expect(sync.isRunning).toBe(true);
    await second;
    expect(sync.isRunning).toBe(false);
    await sync.close();
  });
});

describe('a folder', () => {
  it('is used by one process at a time', async () => {
    const store = openSqliteStore({ folder });
    expect(() => openSqliteStore({ folder })).toThrow('another process uses the data');
    await store.close();
    await openSqliteStore({ folder }).close();
  });

  it('is read by nobody else', async () => {
    const made = join(folder, 'new', 'data');
    await openSqliteStore({ folder: made }).close();
    expect(statSync(made).mode & 0o777).toBe(0o700);
  });
});

describe('another version', () => {
  const later = (breaking: boolean): Migration => ({
    ...{ number: 900, name: 'later', breaking, concurrent: false },
    sql: 'CREATE TABLE later (id INTEGER PRIMARY KEY)',
  });
  const openNewer = (breaking: boolean) =>
    openSqliteStore({ folder, migrations: [...knownMigrations(), later(breaking)] });

  it('a migration is applied once', async () => {
    await openSqliteStore({ folder }).close();
    await openNewer(false).close();
    await openNewer(false).close();
    using database = new DatabaseSync(join(folder, 'objects.sqlite'));
    expect(database.prepare('SELECT number, name, breaking FROM migrations').all()).toEqual([
      expect.objectContaining({ number: 1, name: 'objects', breaking: 1 }),
      expect.objectContaining({ number: 2, name: 'outbox-ages', breaking: 0 }),
      expect.objectContaining({ number: 900, name: 'later', breaking: 0 }),
    ]);
  });

  it('an older program goes on with what does not break it, and refuses what does', async () => {
    await openNewer(false).close();
    await openSqliteStore({ folder }).close();
    rmSync(folder, { recursive: true });
    await openNewer(true).close();
    expect(() => openSqliteStore({ folder })).toThrow('newer version of this program');
    await openNewer(true).close();
  });

  it('a migration that fails leaves nothing of itself', async () => {
    const broken = { ...later(true), sql: 'CREATE TABLE half (id INTEGER); CREATE TABLE half (id INTEGER)' };
    expect(() => openSqliteStore({ folder, migrations: [...knownMigrations(), broken] })).toThrow('half');
    await openSqliteStore({ folder }).close();
    using database = new DatabaseSync(join(folder, 'objects.sqlite'));
    expect(database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'half'").get()).toBeUndefined();
  });
});

describe('the log', () => {
  async function writeMany(store: Store, from: number, count: number): Promise<void> {
    const paths = Array.from({ length: count }, (_, number) => `/n${from + number}`);
    await Promise.all(paths.map((path) => plant(store, ALICE, [path])));
  }

  it('is copied by a thread of its own, and begins anew before it is too large', async () => {
    const logBytes = 512 * 1024;
    const troubles: string[] = [];
    const onTrouble = (what: string) => troubles.push(what);
    const store = openSqliteStore({ folder, logBytes, rowsPerCheckpoint: 100, batch: 4, onTrouble });
    let largest = 0;
    for (let from = 0; from < 4_000; from += 200) {
      await writeMany(store, from, 200);
      largest = Math.max(largest, statSync(join(folder, 'objects.sqlite-wal')).size);
    }
    expect(
      (await store.listing(ALICE, '', { after: undefined, limit: 10_000, mayList: () => true })).names,
    ).toHaveLength(4_000);
    expect(largest).toBeGreaterThan(0);
    expect(largest).toBeLessThan(3 * logBytes);
    expect(troubles).toEqual([]);
    await store.close();
  });

  it('that cannot be copied since somebody reads for long is reported, and writes go on', async () => {
    const troubles: string[] = [];
    const onTrouble = (what: string) => troubles.push(what);
    const store = openSqliteStore({ folder, logBytes: 4096, rowsPerCheckpoint: 10, onTrouble });
    await writeMany(store, 0, 1);
    using reader = new DatabaseSync(join(folder, 'objects.sqlite'));
    reader.exec('BEGIN; SELECT * FROM objects');
    for (let from = 100; troubles.length === 0; from += 20) {
      await writeMany(store, from, 20);
    }
    expect(troubles[0]).toContain('grows');
    await writeMany(store, 10, 20);
    reader.exec('COMMIT');
    await store.close();
  });
});

describe('a store under load', () => {
  it('refuses what it cannot queue, at once', async () => {
    const store = openSqliteStore({ folder, waitingWrites: 5 });
    const writes = Array.from({ length: 8 }, (_, number) => plant(store, ALICE, [`/n${number}`]));
    const outcomes = await Promise.allSettled(writes);
    expect(outcomes.map(({ status }) => status)).toEqual([...Array(5).fill('fulfilled'), ...Array(3).fill('rejected')]);
    expect(outcomes[7]).toMatchObject({ reason: { code: 'unavailable', headers: { 'Retry-After': '1' } } });
    await store.close();
  });

  it('ends what it has when it is closed, and takes nothing more', async () => {
    const store = openSqliteStore({ folder });
    const writes = Array.from({ length: 200 }, (_, number) => plant(store, ALICE, [`/n${number}`]));
    const closed = store.close();
    await expect(plant(store, ALICE, ['/late'])).rejects.toMatchObject({ code: 'unavailable' });
    await Promise.all(writes);
    await closed;
    const again = openSqliteStore({ folder });
    expect((await again.listing(ALICE, '', { after: undefined, limit: 999, mayList: () => true })).names).toHaveLength(
      200,
    );
    await again.close();
  });

  it('shows no reader what is not durable yet', async () => {
    const store = openSqliteStore({ folder });
    await plant(store, ALICE, ['']);
    // Where this process is slow the disk may be done before anybody looks: until somebody came in time, and waited.
    for (let [number, waited] = [0, 0]; waited === 0; number++) {
      const path = `/n${number}`;
      let isDurable = false;
      const written = plant(store, ALICE, [path]).then(() => {
        isDurable = true;
      });
      for (let isThere = false; !isThere; ) {
        const snapshot = store.snapshot(ALICE, path, ALICE);
        waited += snapshot instanceof Promise ? 1 : 0;
        isThere = (await snapshot).object !== undefined;
        await (isThere ? undefined : new Promise((resolve) => setImmediate(resolve)));
      }
      expect(isDurable).toBe(true);
      expect(waited).toBeLessThanOrEqual(1);
      await written;
    }
    await store.close();
  });
});
