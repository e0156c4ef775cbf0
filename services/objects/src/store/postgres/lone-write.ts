/**
 * A write that holds no lock while it is judged: it reads its place together with the number of the tree's last write, and
 * what it changes is one statement, which counts only where no other write of the tree came since. So it is as serial as
 * one under the lock, in two statements instead of five, a process that vanishes in the middle holds nothing, and both
 * statements travel with those of other trees (see `Commits`).
 *
 * Only for what creates or replaces one object, judged by its place alone; anything else, and whoever was overtaken, is to
 * run again under the lock.
 */
import { nameOf, parentPath, type SubscriptionRow } from '@fosp/protocol';
import { numberAt } from '../cells.ts';
import type { OutboxEvent, Place, StoredObject, TreeTransaction } from '../store.ts';
import type { LoneStatement } from './commits.ts';
import type { Result, Statement, Value } from './connection.ts';
import { contentsOf, pathsOfPlace, placeOf } from './rows.ts';
import { LONE_WRITES, NUMBER_COLUMN, PLACES } from './statements.ts';

/** What was begun cannot be done without the lock. */
class NeedsLock extends Error {}

type Read = (statement: Statement, values: readonly Value[]) => Promise<Result>;

interface Changed {
  readonly how: 'insert' | 'replace';
  readonly values: readonly Value[];
}

export class LoneWrite implements TreeTransaction {
  readonly tree: string;
  readonly #read: Read;
  #subscriptions: ReadonlyMap<string, readonly SubscriptionRow[]> = new Map();
  /** Of the tree's last write before this one. */
  #last: number | undefined;
  #changed: Changed | undefined;
  #event: Omit<OutboxEvent, 'sequence'> | undefined;

  constructor(tree: string, read: Read) {
    this.tree = tree;
    this.#read = read;
  }

  /** What is to be run; undefined where nothing changed. */
  get statement(): LoneStatement | undefined {
    if (this.#changed === undefined) {
      return undefined;
    }
    const { how, values } = this.#changed;
    const common = [this.tree, this.#number(), ...values];
    if (this.#event === undefined) {
      return [LONE_WRITES[how], common];
    }
    const { event, path, body, paged } = this.#event;
    return [LONE_WRITES[`${how}AndTell`], [...common, event, path, body, paged]];
  }

  version(): number {
    return this.#number();
  }

  async look(path: string): Promise<Place> {
    if (this.#last !== undefined) {
      throw new NeedsLock('two looks may be of two moments');
    }
    const { rows } = await this.#read(PLACES.numbered, [this.tree, pathsOfPlace(path), path]);
    const [row] = rows;
    if (row === undefined) {
      throw new NeedsLock('there is no tree');
    }
    this.#last = numberAt(row, NUMBER_COLUMN);
    const { subscriptions, ...place } = placeOf(path, rows);
    this.#subscriptions = subscriptions;
    return place;
  }

  insert(object: StoredObject): void {
    const { path, owner, btime, mtime, version, incarnation, subscribers } = object;
    const server = [owner, btime, mtime, version, incarnation, subscribers];
    this.#change('insert', [path, parentPath(path) ?? null, nameOf(path), ...server, ...contentsOf(object)]);
  }

  replace(object: StoredObject): void {
    this.#change('replace', [object.path, object.mtime, object.version, ...contentsOf(object)]);
  }

  subscriptions(
    path: string,
    which: { readonly users: Iterable<string> } | { readonly limit: number },
  ): SubscriptionRow[] {
    const known = this.#subscriptions.get(path);
    if (known === undefined || !('limit' in which)) {
      throw new NeedsLock('subscriptions are asked for that did not come with the place');
    }
    return known.slice(0, which.limit);
  }

  addEvent(event: Omit<OutboxEvent, 'sequence'>): void {
    if (this.#event !== undefined) {
      throw new NeedsLock('there are two events');
    }
    this.#event = event;
  }

  subscribe(): never {
    throw new NeedsLock('a subscription changes');
  }

  subtree(): never {
    throw new NeedsLock('a subtree is read');
  }

  subtreeSubscriptions(): never {
    throw new NeedsLock('a subtree is read');
  }

  remove(): never {
    throw new NeedsLock('objects are deleted');
  }

  file(): never {
    throw new NeedsLock('a file is read');
  }

  putFile(): never {
    throw new NeedsLock('a file changes');
  }

  account(): never {
    throw new NeedsLock('an account is read');
  }

  putAccount(): never {
    throw new NeedsLock('an account changes');
  }

  removeAccount(): never {
    throw new NeedsLock('an account changes');
  }

  #change(how: Changed['how'], values: readonly Value[]): void {
    if (this.#changed !== undefined) {
      throw new NeedsLock('two objects change');
    }
    this.#changed = { how, values };
  }

  #number(): number {
    if (this.#last === undefined) {
      throw new NeedsLock('nothing was read yet');
    }
    return this.#last + 1;
  }
}
