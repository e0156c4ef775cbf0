/** One write to one tree, inside the database transaction of its batch (see `Writer`). All answers are at hand at once. */
import { pathsToRoot, type Subscription, type SubscriptionRow } from '@fosp/protocol';
import { numberAt, textAt } from '../cells.ts';
import type {
  Account,
  FileRecord,
  OutboxEvent,
  Place,
  StoredObject,
  SubtreeObject,
  TreeTransaction,
} from '../store.ts';
import { keyOf } from './subtree.ts';
import { subtreeObjectOf, type Tables } from './tables.ts';

/** Sequences of the trees that a batch touches, written once at its end. */
export class Sequences {
  readonly #tables: Tables;
  readonly #taken = new Map<string, number>();

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  next(tree: string): number {
    const last = this.#taken.get(tree) ?? this.#tables.sequence(tree);
    this.#taken.set(tree, last + 1);
    return last + 1;
  }

  save(): void {
    for (const [tree, sequence] of this.#taken) {
      this.#tables.saveSequence.run(tree, sequence);
    }
  }
}

export class SqliteTransaction implements TreeTransaction {
  readonly tree: string;
  readonly #tables: Tables;
  readonly #sequences: Sequences;
  #version: number | undefined;
  #changes = 0;
  #isPaged = false;

  constructor(tree: string, tables: Tables, sequences: Sequences) {
    this.tree = tree;
    this.#tables = tables;
    this.#sequences = sequences;
  }

  /** Rows changed, roughly: none where there is nothing to undo. */
  get changes(): number {
    return this.#changes;
  }

  /** Rows changed by other means than this. */
  changed(rows = 1): void {
    this.#changes += rows;
  }

  version(): number {
    if (this.#version === undefined) {
      this.changed();
      this.#version = this.#sequences.next(this.tree);
    }
    return this.#version;
  }

  look(path: string): Place {
    return this.#tables.rows.place(this.tree, path);
  }

  insert(object: StoredObject): void {
    this.changed();
    const { parent, name } = keyOf(object.path);
    const { owner, btime, mtime, version, incarnation, subscribers } = object;
    const server = [owner, btime, mtime, version, incarnation, subscribers] as const;
    this.#tables.insertObject.run(this.tree, parent, name, ...server, ...contentsOf(object));
  }

  replace(object: StoredObject): void {
    this.changed();
    const { parent, name } = keyOf(object.path);
    this.#tables.replaceObject.run(object.mtime, object.version, ...contentsOf(object), this.tree, parent, name);
  }

  subscriptions(
    path: string,
    which: { readonly users: Iterable<string> } | { readonly limit: number },
  ): SubscriptionRow[] {
    const { rows } = this.#tables;
    return 'users' in which
      ? rows.subscriptionsOf(this.tree, path, which.users)
      : rows.subscriptions(this.tree, path, which.limit);
  }

  subscribe(path: string, user: string, subscription: Subscription | null): void {
    const { rows, keepSubscription, dropSubscription, addSubscription, countSubscribers } = this.#tables;
    const version = this.version();
    const [before] = rows.subscriptionsOf(this.tree, path, [user]);
    if (before !== undefined && this.#keepsEnded()) {
      keepSubscription.run(version, this.tree, path, user);
    }
    if (subscription !== null) {
      addSubscription.run(this.tree, path, user, subscription.events, subscription.depth, version);
    } else if (before !== undefined) {
      dropSubscription.run(this.tree, path, user);
    }
    const more = (subscription === null ? 0 : 1) - (before === undefined ? 0 : 1);
    if (more !== 0) {
      const { parent, name } = keyOf(path);
      countSubscribers.run(more, this.tree, parent, name);
    }
  }

  subtree(path: string, limit: number): SubtreeObject[] {
    return this.#tables.subtreeObjects
      .rows(this.tree, path, limit)
      .map(subtreeObjectOf)
      .sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  }

  subtreeSubscriptions(path: string, limit: number): SubscriptionRow[] {
    return this.#tables.subtreeSubscriptions.rows(this.tree, path, limit).map((row) => ({
      user: textAt(row, 0),
      path: textAt(row, 3),
      events: numberAt(row, 1),
      depth: numberAt(row, 2),
    }));
  }

  remove(path: string, now: number): void {
    const tables = this.#tables;
    const version = this.version();
    if (this.#isPaged) {
      tables.keepObjects.run(this.tree, path, { version });
      for (const above of pathsToRoot(path).slice(1)) {
        const { parent, name } = keyOf(above);
        tables.keepObject.run(version, this.tree, parent, name);
      }
    }
    if (this.#keepsEnded()) {
      // This deletion's own event goes by the subscriptions before it.
      tables.keepSubscriptions.run(this.tree, path, { ended: version + 1 });
    }
    this.changed(tables.dropSubscriptions.run(this.tree, path));
    this.changed(tables.killFiles.run(this.tree, path, { now }));
    this.changed(tables.removeObjects.run(this.tree, path));
  }

  addEvent({ event, path, body, paged }: Omit<OutboxEvent, 'sequence'>): void {
    this.#isPaged = paged;
    this.#tables.addEvent.run(this.tree, this.version(), event, path, body, paged ? 1 : 0);
  }

  file(key: string): FileRecord | undefined {
    return this.#tables.file(key);
  }

  putFile(file: FileRecord, now: number): void {
    this.changed();
    const { key, state, tree, path, incarnation, size, checksum } = file;
    this.#tables.putFile.run(key, state, now, tree, path, incarnation, size ?? null, checksum ?? null);
  }

  account(): Account | undefined {
    return this.#tables.account(this.tree);
  }

  putAccount({ salt, memory, passes, parallelism, secretHash, version, state }: Account): void {
    this.changed();
    this.#tables.putAccount.run(this.tree, salt, memory, passes, parallelism, secretHash, version, state);
  }

  removeAccount(): void {
    this.changed();
    this.#tables.removeAccount.run(this.tree);
  }

  /** Whether an event that fan-out will ask about is still kept, so that it must find the subscriptions of its moment. */
  #keepsEnded(): boolean {
    return this.#tables.firstPaged.row(this.tree) !== undefined;
  }
}

function contentsOf(object: StoredObject): (string | null)[] {
  const { file, acl, type, attachment, data } = object;
  return [file ?? null, acl ?? null, type ?? null, attachment ?? null, data ?? null];
}
