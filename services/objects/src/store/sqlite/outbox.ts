/** The outbox, and what fan-out reads of the past. One process has the database, so taking a tree needs no lease. */
import type { SubscriptionRow } from '@fosp/protocol';
import { numberAt, textAt, wordAt } from '../cells.ts';
import {
  EVENTS,
  type Outbox,
  type OutboxBacklog,
  type OutboxEvent,
  type Soon,
  type SubtreeObject,
  type TakenEvent,
} from '../store.ts';
import { type Database, NOW, type Query, type Row } from './database.ts';
import { subscriptionOf } from './rows.ts';
import { subtreeObjectOf } from './tables.ts';
import type { SqliteTransaction } from './transaction.ts';
import type { Writer } from './writer.ts';

/** Rows dropped in one transaction of a sweep. */
const SWEPT_AT_ONCE = 2_000;

/** Milliseconds. */
const AGE = `max(0, ifnull(${NOW} - added, 0))`;

/** Reads when it is this tree's turn: see `SqliteStore`. */
export type Read = <T>(tree: string, read: () => T) => Soon<T>;

export class SqliteOutbox implements Outbox {
  readonly #writer: Writer;
  readonly #read: Read;
  readonly #nextTree: Query;
  readonly #waiting: Query;
  readonly #oldest: Query;
  readonly #count: Query;
  readonly #settle: Query;
  readonly #drop: Query;
  readonly #paged: Query;
  readonly #subscribers: Query;
  readonly #deleted: Query;
  readonly #sweep: Sweep;

  constructor(database: Database, writer: Writer, read: Read) {
    this.#writer = writer;
    this.#read = read;
    this.#sweep = new Sweep(database);
    this.#nextTree = database.prepare(
      'SELECT tree FROM outbox WHERE tree > ? AND relayed IS NULL ORDER BY tree LIMIT 1',
    );
    this.#waiting = database.prepare(
      `SELECT sequence, event, path, body, paged, ${AGE} FROM outbox
         WHERE tree = ? AND relayed IS NULL ORDER BY sequence LIMIT ?`,
    );
    this.#oldest = database.prepare(`SELECT ${AGE} FROM outbox WHERE relayed IS NULL ORDER BY id LIMIT 1`);
    this.#count = database.prepare('SELECT count(*) FROM (SELECT 1 FROM outbox WHERE relayed IS NULL LIMIT ?)');
    this.#drop = database.prepare('DELETE FROM outbox WHERE tree = ? AND sequence <= ? AND paged = 0');
    this.#settle = database.prepare(
      'UPDATE outbox SET relayed = ? WHERE tree = ? AND sequence <= ? AND relayed IS NULL',
    );
    this.#paged = database.prepare('SELECT event, path FROM outbox WHERE tree = ? AND sequence = ? AND paged = 1');
    this.#subscribers = database.prepare(
      `SELECT user, events, depth FROM subscriptions
         WHERE tree = :tree AND path = :path AND user > :after AND began <= :sequence
       UNION ALL SELECT user, events, depth FROM ended_subscriptions
         WHERE tree = :tree AND path = :path AND user > :after AND began <= :sequence AND ended > :sequence
       ORDER BY user LIMIT :limit`,
    );
    this.#deleted = database.prepare(
      'SELECT path, owner, acl FROM deleted_objects WHERE tree = ? AND sequence = ? AND path >= ? ORDER BY path LIMIT ?',
    );
  }

  waiting(limit: number): Soon<string[]> {
    return this.#read('', () => {
      const trees: string[] = [];
      for (let tree = ''; trees.length < limit; ) {
        const row = this.#nextTree.row(tree);
        if (row === undefined) {
          break;
        }
        tree = textAt(row, 0);
        trees.push(tree);
      }
      return trees;
    });
  }

  take(tree: string, limit: number): Soon<TakenEvent[]> {
    return this.#read(tree, () => this.#waiting.rows(tree, limit).map(takenEventOf));
  }

  settle(tree: string, sequence: number, now: number): Promise<boolean> {
    const work = async (tx: SqliteTransaction) => {
      tx.changed();
      this.#drop.run(tree, sequence);
      this.#settle.run(now, tree, sequence);
      return this.#waiting.row(tree, 1) !== undefined;
    };
    return this.#writer.write(tree, work, { durable: false });
  }

  async backlog(limit: number): Promise<OutboxBacklog> {
    return this.#read('', () => {
      const [oldest, count] = [this.#oldest.row(), this.#count.row(limit)];
      return {
        events: count === undefined ? 0 : numberAt(count, 0),
        oldestAge: oldest === undefined ? 0 : numberAt(oldest, 0),
      };
    });
  }

  paged(tree: string, sequence: number): Soon<Pick<OutboxEvent, 'event' | 'path'> | undefined> {
    return this.#read(tree, () => {
      const row = this.#paged.row(tree, sequence);
      return row && { event: wordAt(row, 0, EVENTS), path: textAt(row, 1) };
    });
  }

  subscribersAsOf(query: {
    tree: string;
    sequence: number;
    path: string;
    after: string;
    limit: number;
  }): Soon<SubscriptionRow[]> {
    const { tree, sequence, path, after, limit } = query;
    return this.#read(tree, () =>
      this.#subscribers.rowsNamed({ tree, path, after, sequence, limit }).map((row) => subscriptionOf(path, row)),
    );
  }

  deleted(query: { tree: string; sequence: number; from: string; limit: number }): Soon<SubtreeObject[]> {
    const { tree, sequence, from, limit } = query;
    return this.#read(tree, () => this.#deleted.rows(tree, sequence, from, limit).map(subtreeObjectOf));
  }

  sweep(before: number): Promise<boolean> {
    return this.#writer.write(
      '',
      async (tx) => {
        tx.changed();
        return this.#sweep.step(before);
      },
      { durable: false },
    );
  }
}

/** Drops, a step at a time, what was kept for the paged event that was relayed first. */
class Sweep {
  readonly #oldest: Query;
  readonly #dropObjects: Query;
  readonly #dropSubscriptions: Query;
  readonly #dropEvent: Query;

  constructor(database: Database) {
    this.#oldest = database.prepare(
      'SELECT tree, sequence FROM outbox WHERE relayed IS NOT NULL AND relayed < ? ORDER BY relayed LIMIT 1',
    );
    this.#dropObjects = database.prepare(
      `DELETE FROM deleted_objects WHERE tree = ?1 AND sequence = ?2 AND path IN
        (SELECT path FROM deleted_objects WHERE tree = ?1 AND sequence = ?2 LIMIT ${SWEPT_AT_ONCE})`,
    );
    // Another event of the tree needs what was in force at its sequence.
    this.#dropSubscriptions = database.prepare(
      `DELETE FROM ended_subscriptions WHERE tree = ?1 AND (path, user, ended) IN
        (SELECT path, user, ended FROM ended_subscriptions AS row WHERE tree = ?1 AND NOT EXISTS
          (SELECT 1 FROM outbox WHERE tree = ?1 AND sequence <> ?2 AND paged = 1 AND row.began <= sequence AND row.ended > sequence)
         LIMIT ${SWEPT_AT_ONCE})`,
    );
    this.#dropEvent = database.prepare('DELETE FROM outbox WHERE tree = ? AND sequence = ?');
  }

  /** Whether there may be more to do. */
  step(before: number): boolean {
    const row = this.#oldest.row(before);
    if (row === undefined) {
      return false;
    }
    const [tree, sequence] = [textAt(row, 0), numberAt(row, 1)];
    const isLast = [this.#dropObjects, this.#dropSubscriptions].every(
      (drop) => drop.run(tree, sequence) < SWEPT_AT_ONCE,
    );
    if (isLast) {
      this.#dropEvent.run(tree, sequence);
    }
    return true;
  }
}

function takenEventOf(row: Row): TakenEvent {
  return {
    sequence: numberAt(row, 0),
    event: wordAt(row, 1, EVENTS),
    path: textAt(row, 2),
    body: textAt(row, 3),
    paged: numberAt(row, 4) === 1,
    age: numberAt(row, 5),
  };
}
