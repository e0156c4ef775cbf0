/** What the database, or the way to it, does to writes that are at it: nothing acknowledged is lost, nothing lost is acknowledged. */
import { Health } from '@fosp/runtime';
import { postgresInstalled } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import type { Store } from '../src/index.ts';
import { Connection } from '../src/store/postgres/connection.ts';
import type { PostgresStore, PostgresStoreOptions } from '../src/store/postgres/postgres.ts';
import { ALICE, BOB, fileRecord, insert, plant } from '../suite/samples.ts';
import { lossyDatabase } from './lossy-database.ts';
import { postgresForTests, type TestDatabase } from './postgres.ts';

const DRIVER = { application: 'test', connectTimeout: 60_000, statementTimeout: 0, lockTimeout: 0, patience: 30_000 };
/** And waits until they are gone. */
const KILL_CONNECTIONS = `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
  WHERE application_name = 'fosp-objects' AND datname = current_database()`;

const names = async (store: Store) =>
  (await store.listing(ALICE, '', { after: undefined, limit: 1_000, mayList: () => true })).names;

describe.skipIf(!postgresInstalled())('PostgreSQL', () => {
  const postgres = postgresForTests();

  async function opened(
    options: Partial<PostgresStoreOptions> = {},
  ): Promise<{ database: TestDatabase; store: PostgresStore }> {
    const database = await postgres.database();
    const store = await database.open({ random: () => 0, ...options });
    await plant(store, ALICE, ['']);
    return { database, store };
  }

  it('a connection that is killed in the middle of a write: the write is done once, on another', async () => {
    const { database, store } = await opened();
    await using _database = database;
    let runs = 0;
    const version = await store.write(ALICE, async (tx) => {
      await insert(tx, '/a');
      await tx.look('/a');
      if (++runs === 1) {
        await database.sql(KILL_CONNECTIONS);
      }
      await insert(tx, '/b');
      return tx.version();
    });
    expect([runs, version]).toEqual([2, 2]);
    expect(await names(store)).toEqual(['a', 'b']);
    expect((await store.snapshot(ALICE, '/a', ALICE)).object?.version).toBe(2);
  });

  it('a COMMIT that is lost on its way, or its answer: said to be unknown, never a success', async () => {
    const { database } = await opened();
    await using _database = database;
    await using lossy = await lossyDatabase(database.url);
    const store = await database.open({ url: lossy.url });
    for (const [what, name, isDone] of [
      ['request', 'a', false],
      ['answer', 'b', true],
    ] as const) {
      let runs = 0;
      const writing = () =>
        store.write(ALICE, async (tx) => {
          runs++;
          await insert(tx, `/${name}`);
        });
      lossy.loseNext(what);
      const message = expect.stringContaining('may have been done or not');
      const unknown = { code: 'unavailable', headers: { 'Retry-After': '1' }, message };
      await expect(writing()).rejects.toMatchObject(unknown);
      expect(runs).toBe(1);
      expect((await names(store)).includes(name)).toBe(isDone);
    }
    expect(lossy.lost).toBe(2);
    await store.write(ALICE, (tx) => insert(tx, '/c'));
    expect(await names(store)).toEqual(['b', 'c']);
  });

  it('a connection that falls silent is given up, and what waits on it fails with 503', async () => {
    const { database } = await opened();
    await using _database = database;
    await using lossy = await lossyDatabase(database.url);
    const impatient = { answerPatience: 3_000, statementTimeout: 2_500, connectTimeout: 3_000, attempts: 2 };
    const store = await database.open({ url: lossy.url, ...impatient, probeInterval: 50 });
    await store.write(ALICE, (tx) => insert(tx, '/a'));
    lossy.fallSilent();
    await expect(store.snapshot(ALICE, '/a', ALICE)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(store.write(ALICE, (tx) => insert(tx, '/b'))).rejects.toMatchObject({ code: 'unavailable' });
    await expect.poll(() => store.failure()).toContain('lost');
    lossy.resume();
    await expect.poll(() => store.failure()).toBeUndefined();
    await store.write(ALICE, (tx) => insert(tx, '/c'));
    expect(await names(store)).toEqual(['a', 'c']);
  });

  it.each(['restart', 'kill'] as const)('%s of the server under load', async (how) => {
    const health = new Health();
    health.started();
    const { database, store } = await opened({ probeInterval: 50, health });
    await using _database = database;
    const acknowledged: string[] = [];
    const refused: unknown[] = [];
    let isOver = false;
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let number = 0; !isOver; number++) {
        const name = `n${writer}-${number}`;
        await store
          .write(ALICE, (tx) => insert(tx, `/${name}`))
          .then(
            () => acknowledged.push(name),
            (error) => refused.push(error),
          );
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    await expect.poll(() => acknowledged.length).toBeGreaterThan(20);
    await (how === 'kill' ? postgres.server.kill() : postgres.server.stop());
    await expect.poll(() => store.failure()).toBeDefined();
    expect(health.reasons()).toEqual(['the database cannot be reached']);
    await expect.poll(() => refused.length).toBeGreaterThan(0);
    await postgres.server.start();
    await expect.poll(() => store.failure()).toBeUndefined();
    expect(health.reasons()).toEqual([]);
    const before = acknowledged.length;
    await expect.poll(() => acknowledged.length).toBeGreaterThan(before + 20);
    isOver = true;
    await Promise.all(writers);
    const stored = new Set(
      (await store.listing(ALICE, '', { after: undefined, limit: 100_000, mayList: () => true })).names,
    );
    expect(acknowledged.filter((name) => !stored.has(name))).toEqual([]);
    for (const error of refused) {
      expect(error).toMatchObject({ code: 'unavailable' });
    }
  });

  it('the victim of a deadlock tries again', async () => {
    const { database, store } = await opened();
    await using _database = database;
    await store.write(ALICE, async (tx) => tx.putFile(fileRecord('key', ALICE), 1));
    const other = await Connection.open({ ...DRIVER, url: database.url });
    // The other one never looks for deadlocks, so the store's transaction is the victim.
    await other.script("SET deadlock_timeout = '1h'; BEGIN; UPDATE files SET since = 2");
    let waiting: Promise<void> | undefined;
    let runs = 0;
    const file = await store.write(ALICE, async (tx) => {
      runs++;
      await tx.version();
      waiting ??= other.script('UPDATE trees SET sequence = sequence; COMMIT');
      return tx.file('key');
    });
    await waiting;
    await other.close();
    expect(runs).toBe(2);
    expect(file?.state).toBe('pending');
  });

  it('a tree that is locked for long is 503; others go on', async () => {
    const { database, store } = await opened({ lockTimeout: 100 });
    await using _database = database;
    const other = await Connection.open({ ...DRIVER, url: database.url });
    await other.script('BEGIN; UPDATE trees SET sequence = sequence');
    const locked = store.write(ALICE, (tx) => insert(tx, '/a'));
    await plant(store, BOB, ['', '/a']);
    await expect(locked).rejects.toMatchObject({ code: 'unavailable', headers: { 'Retry-After': '1' } });
    await other.script('ROLLBACK');
    await other.close();
    await store.write(ALICE, (tx) => insert(tx, '/a'));
  });

  it('more than may wait is 503 at once', async () => {
    const { database, store } = await opened({ writeConnections: 1, waitingWrites: 3, connectionPatience: 1_000 });
    await using _database = database;
    const gate = Promise.withResolvers<void>();
    const running = store.write(ALICE, async (tx) => {
      await tx.look('');
      await gate.promise;
    });
    // Without a connection, after a while.
    await expect(store.write(BOB, async (tx) => tx.look(''))).rejects.toMatchObject({ code: 'unavailable' });
    const waiting = Array.from({ length: 3 }, () => store.write(ALICE, async () => 'done'));
    const excess = store.write(ALICE, async () => 'too much');
    await expect(excess).rejects.toMatchObject({ code: 'unavailable', headers: { 'Retry-After': '1' } });
    gate.resolve();
    await running;
    expect(await Promise.all(waiting)).toEqual(['done', 'done', 'done']);
  });

  it('a statement that fails is told to its own write alone', async () => {
    const { database, store } = await opened();
    await using _database = database;
    const outcomes = await Promise.allSettled(
      ['a', 'a', 'b'].map((name) => store.write(ALICE, (tx) => insert(tx, `/${name}`))),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: { code: '23505' } });
    expect(await names(store)).toEqual(['a', 'b']);
  });
});
