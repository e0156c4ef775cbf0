/** Small writes, which take no lock: as serial as those that do, with each other and with them. */
import { postgresInstalled } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import type { Store } from '../src/index.ts';
import { Connection } from '../src/store/postgres/connection.ts';
import type { PostgresStoreOptions } from '../src/store/postgres/postgres.ts';
import type { TreeTransaction } from '../src/store/store.ts';
import { ALICE, insert, plant } from '../suite/samples.ts';
import { lossyDatabase } from './lossy-database.ts';
import { postgresForTests } from './postgres.ts';

const SMALL = { small: true };
const WRITES = 40;
const OTHERS = Array.from({ length: 12 }, (_, number) => `user${number}@wonderland.lit`);
const DRIVER = { application: 'test', connectTimeout: 5_000, statementTimeout: 0, lockTimeout: 0, patience: 30_000 };

/** Adds one to the data of the root, and gives the number of the write. */
async function increment(tx: TreeTransaction, tells: boolean): Promise<number> {
  const { object } = await tx.look('');
  if (object === undefined) {
    throw new Error('There is no root');
  }
  const version = await tx.version();
  await tx.replace({ ...object, version, data: String(Number(object.data) + 1) });
  if (tells) {
    await tx.addEvent({ event: 'UPDATED', path: '', body: '{}', paged: false });
  }
  return version;
}

describe.skipIf(!postgresInstalled())('small writes in PostgreSQL', () => {
  const postgres = postgresForTests();

  async function opened() {
    const database = await postgres.database();
    const [a, b] = [await database.open(), await database.open()];
    await a.write(ALICE, (tx) => insert(tx, '', { data: '0' }));
    return { database, a, b };
  }

  const dataOf = async (store: Store) => (await store.snapshot(ALICE, '', ALICE)).object?.data;

  it('of two processes build on each other, whether they take the lock or not', async () => {
    const { database, a, b } = await opened();
    await using _database = database;
    const [all, told]: [number[], number[]] = [[], []];
    let runs = 0;
    // Of the first write of one the other comes between its reading and its writing.
    const overtaken = Promise.withResolvers<void>();
    const writers = [a, b].map(async (store, which) => {
      for (let number = 0; number < WRITES; number++) {
        const tells = number % 8 === 0;
        // Every fourth of the second takes the lock.
        const hint = { small: which === 0 || number % 4 > 0 };
        const work = async (tx: TreeTransaction) => {
          runs++;
          await tx.look('');
          await (which === 0 ? overtaken.promise : undefined);
          return increment(tx, tells);
        };
        const version = await store.write(ALICE, work, hint);
        overtaken.resolve();
        all.push(version);
        told.push(...(tells ? [version] : []));
      }
    });
    await Promise.all(writers);
    expect(await dataOf(a)).toBe(String(2 * WRITES));
    expect(new Set(all).size).toBe(2 * WRITES);
    // Those that were overtaken ran again.
    expect(runs).toBeGreaterThan(2 * WRITES);
    // Each event is there once, under the number of its write.
    const events = await database.sql('SELECT sequence FROM outbox ORDER BY sequence');
    expect(events.map(Number)).toEqual(told.sort((one, other) => one - other));
  });

  it('leave nothing behind where they were overtaken between reading and writing', async () => {
    const { database, a, b } = await opened();
    await using _database = database;
    let runs = 0;
    await a.write(
      ALICE,
      async (tx) => {
        const { object } = await tx.look('/a');
        if (++runs === 1) {
          await b.write(ALICE, (other) => insert(other, '/a', { data: '"first"' }));
        }
        if (object === undefined) {
          await insert(tx, '/a', { data: '"second"' });
        }
      },
      SMALL,
    );
    expect(runs).toBe(2);
    expect((await a.snapshot(ALICE, '/a', ALICE)).object?.data).toBe('"first"');
  });

  it('may turn out to be more than that', async () => {
    const { database, a } = await opened();
    await using _database = database;
    await a.write(
      ALICE,
      async (tx) => {
        await tx.look('/a');
        await insert(tx, '/a');
        await insert(tx, '/a/b');
        await tx.subscribe('/a', ALICE, { events: 1, depth: 1 });
      },
      SMALL,
    );
    expect((await a.snapshot(ALICE, '/a', ALICE)).object?.subscribers).toBe(1);
    expect((await a.snapshot(ALICE, '/a/b', ALICE)).object?.version).toBe(2);
    const tree = 'nobody@wonderland.lit';
    await a.write(tree, async (tx) => void (await tx.look('')), SMALL);
    await a.write(tree, (tx) => insert(tx, ''), SMALL);
    await plant(a, tree, ['/a']);
    expect((await a.snapshot(tree, '/a', tree)).object).toBeDefined();
  });

  /** Adds an object to a tree, as a small write. */
  const add = (store: Store, tree: string, path: string) =>
    store.write(
      tree,
      async (tx) => {
        await tx.look(path);
        await insert(tx, path);
      },
      SMALL,
    );

  async function openedWithOthers() {
    const { database, a } = await opened();
    await Promise.all(OTHERS.map((tree) => plant(a, tree, [''])));
    return { database, store: a };
  }

  it('of many trees share a transaction', async () => {
    const { database, store } = await openedWithOthers();
    await using _database = database;
    await Promise.all(OTHERS.map((tree) => add(store, tree, '/a')));
    const transactions = await database.sql("SELECT DISTINCT xmin FROM objects WHERE path = '/a'");
    expect(transactions.length).toBeLessThan(OTHERS.length);
    expect(await database.sql("SELECT 1 FROM objects WHERE path = '/a'")).toHaveLength(OTHERS.length);
  });

  it('wait for none of a tree that is held', async () => {
    const { database } = await openedWithOthers();
    await using _database = database;
    const store = await database.open({ lockTimeout: 90_000, statementTimeout: 90_000, answerPatience: 90_000 });
    const other = await Connection.open({ ...DRIVER, url: database.url });
    await other.script(`BEGIN; UPDATE trees SET sequence = sequence WHERE tree = '${ALICE}'`);
    const held = add(store, ALICE, '/a');
    for (const path of ['/a', '/b', '/c']) {
      await Promise.all(OTHERS.map((tree) => add(store, tree, path)));
    }
    await other.script('ROLLBACK');
    await held;
    await other.close();
    expect((await store.snapshot(ALICE, '/a', ALICE)).object).toBeDefined();
  });

  it('of which one fails are done but for this one', async () => {
    const { database, store } = await openedWithOthers();
    await using _database = database;
    await add(store, ALICE, '/a');
    const outcomes = await Promise.allSettled([ALICE, ...OTHERS].map((tree) => add(store, tree, '/a')));
    expect(outcomes[0]).toMatchObject({ status: 'rejected', reason: { code: '23505' } });
    expect(outcomes.slice(1).every(({ status }) => status === 'fulfilled')).toBe(true);
    expect(await database.sql("SELECT 1 FROM objects WHERE path = '/a'")).toHaveLength(1 + OTHERS.length);
  });

  it('of which one waits too long for a lock are done but for this one', async () => {
    const { database } = await openedWithOthers();
    await using _database = database;
    const store = await database.open({ lockTimeout: 500 });
    const other = await Connection.open({ ...DRIVER, url: database.url });
    await other.script(`BEGIN; SELECT 1 FROM objects WHERE tree = '${ALICE}' FOR UPDATE`);
    const change = store.write(ALICE, (tx) => increment(tx, false), SMALL);
    const outcomes = await Promise.allSettled([change, ...OTHERS.map((tree) => add(store, tree, '/a'))]);
    await other.script('ROLLBACK');
    await other.close();
    expect(outcomes[0]).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } });
    expect(outcomes.slice(1).filter(({ status }) => status === 'rejected')).toEqual([]);
  });

  describe('while those before them do not end', () => {
    /** Two, as many as are sent at once, wait for what another session holds; `release` lets go of it. */
    async function heldUp(options: Partial<PostgresStoreOptions>) {
      const { database } = await openedWithOthers();
      const endless = { lockTimeout: 90_000, statementTimeout: 90_000, answerPatience: 90_000 };
      const store = await database.open({ ...endless, ...options });
      const other = await Connection.open({ ...DRIVER, url: database.url });
      await other.script('BEGIN; LOCK TABLE objects IN SHARE MODE');
      const held: Promise<void>[] = [];
      const waitingForLocks = async () =>
        (await database.sql("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'")).length;
      for (const tree of OTHERS.slice(0, 2)) {
        held.push(add(store, tree, '/a'));
        await expect.poll(waitingForLocks).toBe(held.length);
      }
      const release = async () => {
        await other.script('ROLLBACK');
        await other.close();
        await Promise.all(held);
      };
      return { database, store, release };
    }

    const [tree = '', next = ''] = OTHERS.slice(2);
    const refusal = { code: 'unavailable', message: expect.stringContaining('nothing was changed') };

    it('are refused after a while, and were not done', async () => {
      const { database, store, release } = await heldUp({ connectionPatience: 300 });
      await using _database = database;
      await expect(add(store, tree, '/a')).rejects.toMatchObject(refusal);
      await release();
      expect((await store.snapshot(tree, '/a', tree)).object).toBeUndefined();
    });

    it('are so many, and no more', async () => {
      const { database, store, release } = await heldUp({ connectionPatience: 90_000, waitingWrites: 1 });
      await using _database = database;
      const outcomeOf = (one: string) =>
        add(store, one, '/a').then(
          () => 'done',
          ({ code }) => code,
        );
      const first = outcomeOf(tree);
      // One after the other on the connection for reads: what the first write reads was read by then.
      await store.snapshot(tree, '/a', tree);
      await store.snapshot(tree, '/a', tree);
      const outcomes = [first, outcomeOf(next)];
      expect(await Promise.race(outcomes)).toBe('unavailable');
      await release();
      expect((await Promise.all(outcomes)).sort()).toEqual(['done', 'unavailable']);
    });
  });

  it('whose statement or answer is lost: said to be unknown, never a success, never repeated', async () => {
    const { database } = await opened();
    await using _database = database;
    await using lossy = await lossyDatabase(database.url);
    const store = await database.open({ url: lossy.url });
    for (const [what, path, isDone] of [
      ['request', '/a', false],
      ['answer', '/b', true],
    ] as const) {
      let runs = 0;
      const create = async () => {
        await store.write(
          ALICE,
          async (tx) => {
            runs++;
            await tx.look(path);
            await insert(tx, path);
          },
          SMALL,
        );
      };
      lossy.loseNext(what);
      const message = expect.stringContaining('may have been done or not');
      await expect(create()).rejects.toMatchObject({ code: 'unavailable', message });
      expect(runs).toBe(1);
      expect((await store.snapshot(ALICE, path, ALICE)).object !== undefined).toBe(isDone);
    }
    expect(lossy.lost).toBe(2);
  });
});
