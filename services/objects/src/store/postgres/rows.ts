/** What the statements of `statements.ts` give, as the port has it, and what they take. */
import { GROUPS_PATH, pathsToRoot, type SubscriptionRow } from '@fosp/protocol';
import { bytesAt, numberAt, optionalNumberAt, optionalTextAt, textAt, wordAt } from '../cells.ts';
import {
  ACCOUNT_STATES,
  type Account,
  FILE_STATES,
  type FileRecord,
  type Level,
  type Place,
  type StoredObject,
  type SubtreeObject,
} from '../store.ts';
import type { Row } from './connection.ts';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** The paths whose rows make a place, each once. */
export function pathsOfPlace(path: string): string[] {
  return isInGroups(path) ? pathsToRoot(path) : [...pathsToRoot(path), GROUPS_PATH];
}

/** Whether the groups' object is a level of this place. */
function isInGroups(path: string): boolean {
  return path === GROUPS_PATH || path.startsWith(`${GROUPS_PATH}/`);
}

/** A place, and what else its rows say, by path. */
export interface Found extends Place {
  /** Subscriptions of the levels that came along. */
  readonly subscriptions: ReadonlyMap<string, readonly SubscriptionRow[]>;
}

/** From the rows of one of `PLACES`. */
export function placeOf(path: string, rows: readonly Row[]): Found {
  const levels: Level[] = [];
  const subscriptions = new Map<string, readonly SubscriptionRow[]>();
  let object: StoredObject | undefined;
  let groups: string | undefined;
  for (const row of rows) {
    const at = textAt(row, 0);
    if (at === GROUPS_PATH) {
      groups = optionalTextAt(row, 5);
    }
    if (at === path) {
      object = objectOf(row);
    }
    if (at !== GROUPS_PATH || isInGroups(path)) {
      levels.push({ path: at, owner: textAt(row, 1), acl: optionalTextAt(row, 2), subscribers: numberAt(row, 3) });
      if (row[4] !== null) {
        subscriptions.set(at, subscriptionsIn(at, textAt(row, 4)));
      }
    }
  }
  // Ancestors are prefixes of each other.
  levels.sort((a, b) => b.path.length - a.path.length);
  return { object, levels, groups, subscriptions };
}

function objectOf(row: Row): StoredObject {
  const object: Mutable<StoredObject> = {
    path: textAt(row, 0),
    owner: textAt(row, 1),
    btime: textAt(row, 8),
    mtime: textAt(row, 9),
    version: numberAt(row, 10),
    incarnation: numberAt(row, 11),
    subscribers: numberAt(row, 3),
  };
  const [acl, data, type, attachment, file] = [2, 5, 6, 7, 12].map((column) => optionalTextAt(row, column));
  if (acl !== undefined) {
    object.acl = acl;
  }
  if (data !== undefined) {
    object.data = data;
  }
  if (type !== undefined) {
    object.type = type;
  }
  if (attachment !== undefined) {
    object.attachment = attachment;
  }
  if (file !== undefined) {
    object.file = file;
  }
  return object;
}

/** File, ACL, type, attachment and data, as the statements that write an object take them. */
export function contentsOf({ file, acl, type, attachment, data }: StoredObject): (string | null)[] {
  return [file ?? null, acl ?? null, type ?? null, attachment ?? null, data ?? null];
}

/** `user`, `events`, `depth`. */
export function subscriptionOf(path: string, row: Row): SubscriptionRow {
  return { user: textAt(row, 0), path, events: numberAt(row, 1), depth: numberAt(row, 2) };
}

function subscriptionsIn(path: string, json: string): SubscriptionRow[] {
  const rows: Row[] = JSON.parse(json);
  return rows.map((row) => subscriptionOf(path, row));
}

/** `path`, `owner`, `acl`. */
export function subtreeObjectOf(row: Row): SubtreeObject {
  return { path: textAt(row, 0), owner: textAt(row, 1), acl: optionalTextAt(row, 2) };
}

export function fileOf(tree: string, key: string, row: Row): FileRecord {
  return {
    key,
    state: wordAt(row, 0, FILE_STATES),
    tree,
    path: textAt(row, 1),
    incarnation: numberAt(row, 2),
    size: optionalNumberAt(row, 3),
    checksum: optionalTextAt(row, 4),
  };
}

export function accountOf(row: Row): Account {
  return {
    salt: textAt(row, 0),
    memory: numberAt(row, 1),
    passes: numberAt(row, 2),
    parallelism: numberAt(row, 3),
    secretHash: bytesAt(row, 4),
    version: numberAt(row, 5),
    state: wordAt(row, 6, ACCOUNT_STATES),
  };
}
