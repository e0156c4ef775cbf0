/** Objects, levels and places as SQLite keeps them. */
import { GROUPS_PATH, LIMITS, parentPath, type SubscriptionRow } from '@fosp/protocol';
import { numberAt, optionalTextAt, textAt } from '../cells.ts';
import type { Level, Listing, ListingQuery, Place, Snapshot, StoredObject } from '../store.ts';
import type { Database, Query, Row } from './database.ts';
import { keyOf } from './subtree.ts';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

const GROUPS = keyOf(GROUPS_PATH);

export class Rows {
  readonly #object: Query;
  readonly #level: Query;
  readonly #data: Query;
  readonly #children: Query;
  readonly #subscriptions: Query;
  readonly #subscription: Query;

  constructor(database: Database) {
    const one = 'WHERE tree = ? AND parent = ? AND name = ?';
    this.#object = database.prepare(
      `SELECT owner, btime, mtime, version, incarnation, subscribers, file, acl, type, attachment, data FROM objects ${one}`,
    );
    this.#level = database.prepare(`SELECT owner, acl, subscribers FROM objects ${one}`);
    this.#data = database.prepare(`SELECT data FROM objects ${one}`);
    this.#children = database.prepare(
      'SELECT name FROM objects WHERE tree = ? AND parent = ? AND name > ? ORDER BY name LIMIT ?',
    );
    this.#subscriptions = database.prepare(
      'SELECT user, events, depth FROM subscriptions WHERE tree = ? AND path = ? ORDER BY user LIMIT ?',
    );
    this.#subscription = database.prepare(
      'SELECT user, events, depth FROM subscriptions WHERE tree = ? AND path = ? AND user = ?',
    );
  }

  place(tree: string, path: string): Place {
    const object = this.object(tree, path);
    const levels: Level[] = object === undefined ? [] : [levelOf(object)];
    for (let above = parentPath(path); above !== undefined; above = parentPath(above)) {
      const { parent, name } = keyOf(above);
      const row = this.#level.row(tree, parent, name);
      if (row !== undefined) {
        const [owner, acl, subscribers] = [textAt(row, 0), optionalTextAt(row, 1), numberAt(row, 2)];
        levels.push({ path: above, owner, acl, subscribers });
      }
    }
    const groups = this.#data.row(tree, GROUPS.parent, GROUPS.name);
    return { object, levels, groups: groups === undefined ? undefined : optionalTextAt(groups, 0) };
  }

  snapshot(tree: string, path: string, reader: string): Snapshot {
    const place = this.place(tree, path);
    const count = place.object?.subscribers ?? 0;
    if (count === 0) {
      return { ...place, subscriptions: [] };
    }
    const subscriptions =
      count > LIMITS.subscriptionsShown
        ? this.subscriptionsOf(tree, path, [reader])
        : this.subscriptions(tree, path, count);
    return { ...place, subscriptions };
  }

  listing(tree: string, path: string, { after, limit, mayList }: ListingQuery): Listing {
    const place = this.place(tree, path);
    if (!mayList(place)) {
      return { ...place, names: [], more: false };
    }
    // No name is empty, so all come after ''. The root is no child of anything: it has a parent of its own.
    const rows = this.#children.rows(tree, path, after ?? '', limit + 1);
    const names = rows.slice(0, limit).map((row) => textAt(row, 0));
    return { ...place, names, more: rows.length > limit };
  }

  object(tree: string, path: string): StoredObject | undefined {
    const { parent, name } = keyOf(path);
    const row = this.#object.row(tree, parent, name);
    return row === undefined ? undefined : objectOf(path, row);
  }

  subscriptions(tree: string, path: string, limit: number): SubscriptionRow[] {
    return this.#subscriptions.rows(tree, path, limit).map((row) => subscriptionOf(path, row));
  }

  subscriptionsOf(tree: string, path: string, users: Iterable<string>): SubscriptionRow[] {
    const found: SubscriptionRow[] = [];
    for (const user of users) {
      const row = this.#subscription.row(tree, path, user);
      if (row !== undefined) {
        found.push(subscriptionOf(path, row));
      }
    }
    return found;
  }
}

function levelOf({ path, owner, acl, subscribers }: StoredObject): Level {
  return { path, owner, acl, subscribers };
}

function objectOf(path: string, row: Row): StoredObject {
  const object: Mutable<StoredObject> = {
    path,
    owner: textAt(row, 0),
    btime: textAt(row, 1),
    mtime: textAt(row, 2),
    version: numberAt(row, 3),
    incarnation: numberAt(row, 4),
    subscribers: numberAt(row, 5),
  };
  const [file, acl, type, attachment, data] = [6, 7, 8, 9, 10].map((column) => optionalTextAt(row, column));
  if (file !== undefined) {
    object.file = file;
  }
  if (acl !== undefined) {
    object.acl = acl;
  }
  if (type !== undefined) {
    object.type = type;
  }
  if (attachment !== undefined) {
    object.attachment = attachment;
  }
  if (data !== undefined) {
    object.data = data;
  }
  return object;
}

/** `user`, `events`, `depth`. */
export function subscriptionOf(path: string, row: Row): SubscriptionRow {
  return { user: textAt(row, 0), path, events: numberAt(row, 1), depth: numberAt(row, 2) };
}
