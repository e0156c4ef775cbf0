/**
 * What one change means for whom, page by page, where it is too much for its event: the subscriptions of the object and its
 * ancestors, and for a deletion the objects of the subtree, all as they stood for that change.
 *
 * Invariants: pages depend on nothing but what is kept for the event, so asking again gives the same ones; all rows that
 * concern one user on one object come in one page. Where an object has more subscribers than a page holds, its pages go by
 * user, and it is alone on them.
 */
import type { ChangedObject, FanOutPage } from '@fosp/bus';
import { fospError, pathsToRoot, type SubscriptionRow } from '@fosp/protocol';
import type { ObjectsLimits } from './limits.ts';
import type { Store, SubtreeObject } from './store/store.ts';

export type FanOutLimits = Pick<ObjectsLimits, 'fanOutSubscriptions' | 'fanOutObjects' | 'fanOutBytes'>;

export interface FanOutQuery {
  readonly tree: string;
  readonly sequence: number;
  /** As the last page gave it in `next`. */
  readonly after: string | undefined;
}

export interface FanOutAnswer {
  readonly page: FanOutPage;
  readonly next: string | undefined;
}

/** How far the pages have come: the object last told of, and of its users the last one; null where all were. */
interface Cursor {
  readonly path: string;
  readonly user: string | null;
}

const NOTHING: FanOutPage = { objects: [], subscriptions: [] };

export class FanOut {
  readonly #store: Store;
  readonly #limits: FanOutLimits;

  constructor(store: Store, limits: FanOutLimits) {
    this.#store = store;
    this.#limits = limits;
  }

  /** @throws not-found where nothing is kept of such an event, malformed where `after` is not what a page gave */
  async page(query: FanOutQuery): Promise<FanOutAnswer> {
    const { tree, sequence } = query;
    const kept = await this.#store.outbox.paged(tree, sequence);
    if (kept === undefined) {
      throw fospError('not-found', `Nothing is kept of change ${sequence} of ${tree}.`);
    }
    const cursor = query.after === undefined ? undefined : parseCursor(query.after);
    const past = new Past(this.#store, this.#limits, query);
    if (kept.event === 'DELETED') {
      return this.#pageOfDeletion(past, kept.path, cursor);
    }
    const { rows, last } = await past.usersOf(kept.path, cursor?.user ?? '');
    return answer([], rows, last === undefined ? undefined : { path: kept.path, user: last });
  }

  async #pageOfDeletion(past: Past, root: string, cursor: Cursor | undefined): Promise<FanOutAnswer> {
    const from = cursor?.path ?? root;
    const found = await past.objectsFrom(from);
    // The first one was told of before, unless some of its users were not.
    const isResumed = cursor !== undefined && typeof cursor.user === 'string';
    const objects = cursor === undefined || isResumed ? found : found.filter(({ path }) => path !== from);
    const [first] = objects;
    if (first === undefined) {
      return { page: NOTHING, next: undefined };
    }
    if (isResumed || (await past.rowsOf(first.path)) === undefined) {
      return this.#pageOfCrowd(past, first, (isResumed && cursor.user) || '');
    }
    return this.#pageOfObjects(past, objects);
  }

  async #pageOfCrowd(past: Past, object: SubtreeObject, after: string): Promise<FanOutAnswer> {
    const { rows, last } = await past.usersOf(object.path, after);
    const changed = await past.changed(object);
    return answer([changed], rows, { path: object.path, user: last ?? null });
  }

  /** As many objects as fit, each with all its rows; the first one does. */
  async #pageOfObjects(past: Past, objects: readonly SubtreeObject[]): Promise<FanOutAnswer> {
    const { fanOutObjects, fanOutSubscriptions, fanOutBytes } = this.#limits;
    const told: ChangedObject[] = [];
    const rowsByPath = new Map<string, readonly SubscriptionRow[]>();
    let [rowCount, bytes, isFull] = [0, 0, false];
    for (const object of objects) {
      const found = await past.rowsOf(object.path);
      const fresh = [...(found ?? [])].filter(([path]) => !rowsByPath.has(path));
      const more = fresh.reduce((sum, [, rows]) => sum + rows.length, 0);
      const changed = await past.changed(object);
      const size = changed.levels.reduce((sum, acl) => sum + (acl?.length ?? 0), 0);
      isFull = found === undefined || rowCount + more > fanOutSubscriptions || bytes + size > fanOutBytes;
      if (told.length > 0 && isFull) {
        break;
      }
      told.push(changed);
      for (const [path, rows] of fresh) {
        rowsByPath.set(path, rows);
      }
      rowCount += more;
      bytes += size;
    }
    const isLast = told.length === objects.length && objects.length < fanOutObjects;
    const next = isLast ? undefined : { path: told.at(-1)?.path ?? '', user: null };
    return answer(told, [...rowsByPath.values()].flat(), next);
  }
}

/** The tree as it was when the change of one sequence happened; remembers what it read, for one page. */
class Past {
  readonly #store: Store;
  readonly #limits: FanOutLimits;
  readonly #query: FanOutQuery;
  readonly #objects = new Map<string, SubtreeObject | undefined>();
  readonly #rows = new Map<string, readonly SubscriptionRow[]>();

  constructor(store: Store, limits: FanOutLimits, query: FanOutQuery) {
    this.#store = store;
    this.#limits = limits;
    this.#query = query;
  }

  /** Deleted objects from a path on, in byte order. */
  async objectsFrom(from: string): Promise<readonly SubtreeObject[]> {
    const { tree, sequence } = this.#query;
    // One more than a page: the first may be known already.
    const limit = this.#limits.fanOutObjects + 1;
    const objects = await this.#store.outbox.deleted({ tree, sequence, from, limit });
    for (const object of objects) {
      this.#objects.set(object.path, object);
    }
    return objects;
  }

  async changed({ path, owner }: SubtreeObject): Promise<ChangedObject> {
    const levels: (string | null)[] = [];
    for (const level of pathsToRoot(path)) {
      levels.push((await this.#object(level))?.acl ?? null);
    }
    return { path, owner, levels };
  }

  /** All subscriptions on an object and its ancestors, by path; undefined where they are more than a page holds. */
  async rowsOf(path: string): Promise<ReadonlyMap<string, readonly SubscriptionRow[]> | undefined> {
    const limit = this.#limits.fanOutSubscriptions;
    const found = new Map<string, readonly SubscriptionRow[]>();
    let count = 0;
    for (const level of pathsToRoot(path)) {
      const known = this.#rows.get(level) ?? (await this.#subscribers(level, '', limit + 1));
      this.#rows.set(level, known);
      found.set(level, known);
      count += known.length;
      if (count > limit) {
        return undefined;
      }
    }
    return found;
  }

  /** Subscriptions on an object and its ancestors of users after this one; where there are more, those up to `last`. */
  async usersOf(path: string, after: string): Promise<{ rows: SubscriptionRow[]; last: string | undefined }> {
    const limit = this.#limits.fanOutSubscriptions;
    let rows: SubscriptionRow[] = [];
    let last: string | undefined;
    for (const level of pathsToRoot(path)) {
      const found = await this.#subscribers(level, after, limit);
      const end = found.length < limit ? undefined : found.at(-1)?.user;
      if (end !== undefined && (last === undefined || isBefore(end, last))) {
        last = end;
      }
      rows.push(...found);
    }
    if (last !== undefined) {
      const bound = last;
      rows = rows.filter(({ user }) => !isBefore(bound, user));
    }
    return { rows, last };
  }

  async #object(path: string): Promise<SubtreeObject | undefined> {
    if (!this.#objects.has(path)) {
      const { tree, sequence } = this.#query;
      const [object] = await this.#store.outbox.deleted({ tree, sequence, from: path, limit: 1 });
      this.#objects.set(path, object?.path === path ? object : undefined);
    }
    return this.#objects.get(path);
  }

  async #subscribers(path: string, after: string, limit: number): Promise<readonly SubscriptionRow[]> {
    const { tree, sequence } = this.#query;
    return this.#store.outbox.subscribersAsOf({ tree, sequence, path, after, limit });
  }
}

/** In the order of stores: by the bytes of UTF-8, not by JavaScript's halves of characters. */
function isBefore(a: string, b: string): boolean {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8')) < 0;
}

function answer(
  objects: readonly ChangedObject[],
  subscriptions: readonly SubscriptionRow[],
  next: Cursor | undefined,
): FanOutAnswer {
  return { page: { objects, subscriptions }, next: next && formatCursor(next) };
}

function formatCursor({ path, user }: Cursor): string {
  return Buffer.from(JSON.stringify([path, user]), 'utf8').toString('base64url');
}

function parseCursor(text: string): Cursor {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    const [path, user]: readonly unknown[] = Array.isArray(parsed) ? parsed : [];
    if (typeof path === 'string' && (user === null || typeof user === 'string')) {
      return { path, user };
    }
  } catch {
    // Said below.
  }
  throw fospError('malformed', 'after: is not what a page gave as next.');
}
