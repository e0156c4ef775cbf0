/** One write to one tree, in a database transaction that it may share with others of its tree (see `Writer`). */
import { nameOf, parentPath, pathsToRoot, type Subscription, type SubscriptionRow } from '@fosp/protocol';
import { textAt } from '../cells.ts';
import type {
  Account,
  FileRecord,
  OutboxEvent,
  Place,
  Soon,
  StoredObject,
  SubtreeObject,
  TreeTransaction,
} from '../store.ts';
import type { Row, Statement, Value } from './connection.ts';
import { accountOf, contentsOf, fileOf, pathsOfPlace, placeOf, subscriptionOf, subtreeObjectOf } from './rows.ts';
import type { Sequence, Session } from './session.ts';
import { PLACES, WRITES } from './statements.ts';

export class PostgresTransaction implements TreeTransaction {
  readonly tree: string;
  readonly #session: Session;
  readonly #sequence: Sequence;
  /** All subscriptions of some objects. */
  readonly #atHand = new Map<string, readonly SubscriptionRow[]>();
  #version: number | undefined;
  #wrote = false;
  #isPaged = false;

  constructor(tree: string, session: Session, sequence: Sequence) {
    this.tree = tree;
    this.#session = session;
    this.#sequence = sequence;
  }

  /** Whether there is anything to undo. */
  get wrote(): boolean {
    return this.#wrote;
  }

  async version(): Promise<number> {
    this.#wrote = true;
    this.#version ??= await this.#sequence.next();
    return this.#version;
  }

  async look(path: string): Promise<Place> {
    const { rows } = await this.#session.run(PLACES.look, [this.tree, pathsOfPlace(path), path]);
    const { subscriptions, ...place } = placeOf(path, rows);
    for (const [at, found] of subscriptions) {
      this.#atHand.set(at, found);
    }
    return place;
  }

  insert(object: StoredObject): Soon<void> {
    const { path, owner, btime, mtime, version, incarnation, subscribers } = object;
    const server = [owner, btime, mtime, version, incarnation, subscribers];
    return this.#change(WRITES.insert, path, parentPath(path) ?? null, nameOf(path), ...server, ...contentsOf(object));
  }

  replace(object: StoredObject): Soon<void> {
    return this.#change(WRITES.replace, object.path, object.mtime, object.version, ...contentsOf(object));
  }

  async subscriptions(
    path: string,
    which: { readonly users: Iterable<string> } | { readonly limit: number },
  ): Promise<SubscriptionRow[]> {
    const known = this.#atHand.get(path);
    if ('limit' in which) {
      return known?.slice(0, which.limit) ?? this.#subscriptions(path, WRITES.subscriptions, which.limit);
    }
    const users = new Set(which.users);
    return (
      known?.filter(({ user }) => users.has(user)) ?? this.#subscriptions(path, WRITES.subscriptionsOf, [...users])
    );
  }

  async subscribe(path: string, user: string, subscription: Subscription | null): Promise<void> {
    const version = await this.version();
    this.#atHand.delete(path);
    await (subscription === null
      ? this.#change(WRITES.unsubscribe, path, user, version)
      : this.#change(WRITES.subscribe, path, user, version, subscription.events, subscription.depth));
  }

  async subtree(path: string, limit: number): Promise<SubtreeObject[]> {
    return (await this.#rows(WRITES.subtree, path, limit)).map(subtreeObjectOf);
  }

  async subtreeSubscriptions(path: string, limit: number): Promise<SubscriptionRow[]> {
    const rows = await this.#rows(WRITES.subtreeSubscriptions, path, limit);
    return rows.map((row) => subscriptionOf(textAt(row, 3), row));
  }

  async remove(path: string, now: number): Promise<void> {
    const version = await this.version();
    this.#atHand.clear();
    if (this.#isPaged) {
      await this.#change(WRITES.keepObjects, path, version, pathsToRoot(path).slice(1));
    }
    // This deletion's own event goes by the subscriptions before it.
    await this.#change(WRITES.keepSubscriptions, path, version + 1);
    await this.#change(WRITES.dropSubscriptions, path);
    await this.#change(WRITES.remove, path, now);
  }

  async addEvent({ event, path, body, paged }: Omit<OutboxEvent, 'sequence'>): Promise<void> {
    this.#isPaged = paged;
    await this.#change(WRITES.addEvent, await this.version(), event, path, body, paged);
  }

  async file(key: string): Promise<FileRecord | undefined> {
    const [row] = await this.#rows(WRITES.file, key);
    return row && fileOf(this.tree, key, row);
  }

  putFile({ key, state, path, incarnation, size, checksum }: FileRecord, now: number): Soon<void> {
    return this.#change(WRITES.putFile, key, state, now, path, incarnation, size ?? null, checksum ?? null);
  }

  async account(): Promise<Account | undefined> {
    const [row] = await this.#rows(WRITES.account);
    return row && accountOf(row);
  }

  putAccount({ salt, memory, passes, parallelism, secretHash, version, state }: Account): Soon<void> {
    return this.#change(WRITES.putAccount, salt, memory, passes, parallelism, secretHash, version, state);
  }

  removeAccount(): Soon<void> {
    return this.#change(WRITES.removeAccount);
  }

  async #subscriptions(path: string, statement: Statement, which: Value): Promise<SubscriptionRow[]> {
    return (await this.#rows(statement, path, which)).map((row) => subscriptionOf(path, row));
  }

  async #rows(statement: Statement, ...values: Value[]): Promise<readonly Row[]> {
    return (await this.#session.run(statement, [this.tree, ...values])).rows;
  }

  #change(statement: Statement, ...values: Value[]): Soon<void> {
    this.#wrote = true;
    return this.#session.send(statement, [this.tree, ...values]);
  }
}
