/**
 * The event of a change, kept in the outbox in the change's own transaction, and only where anyone could be told: it holds
 * all that decides who is, and what each of them may see (SPEC §6.2, PROTOCOL §6). What is many stays in the store, for
 * fan-out to ask page by page.
 */
import type { ChangedObject, ChangeEvent } from '@fosp/bus';
import { type EventType, LIMITS, pathsToRoot, type SubscriptionRow, subscribersOf } from '@fosp/protocol';
import { activeSpan } from '@fosp/runtime';
import type { ObjectsLimits } from './limits.ts';
import type { Level, Place, StoredObject, SubtreeObject, TreeTransaction } from './store/store.ts';

export type AnnounceLimits = Pick<ObjectsLimits, 'embeddedSubscriptions' | 'embeddedObjects' | 'embeddedBytes'>;

export interface ChangedTo {
  readonly event: Exclude<EventType, 'DELETED'>;
  /** Who caused it, by which request. */
  readonly user: string;
  readonly request: string | undefined;
  /** The object after the change, its number of subscriptions too. */
  readonly object: StoredObject;
  /** The levels of its ancestors, nearest first. */
  readonly above: readonly Level[];
  readonly groups: string | undefined;
}

/** Keeps the event of a created or updated object. False where nobody could be told. */
export async function announceChange(tx: TreeTransaction, change: ChangedTo, limits: AnnounceLimits): Promise<boolean> {
  const { event, user, request, object, above, groups } = change;
  const levels = [object, ...above];
  if (levels.every(({ subscribers }) => subscribers === 0)) {
    return false;
  }
  const rows = await subscriptionsOn(tx, levels, limits.embeddedSubscriptions);
  if (rows !== undefined && subscribersOf(event, object.path, rows).size === 0) {
    return false;
  }
  const shown = await shownOf(tx, object, rows);
  const changed: ChangedObject = {
    path: object.path,
    owner: object.owner,
    levels: levels.map(({ acl }) => acl ?? null),
    object: fragmentsOf(object),
    ...(shown === undefined ? {} : { shown }),
  };
  await keep(tx, { event, user, request, groups, objects: [changed], subscriptions: rows }, object.path);
  return true;
}

export interface Deleted {
  readonly user: string;
  readonly request: string | undefined;
  /** The place of the object that is about to be removed with all below it. */
  readonly place: Place;
  readonly path: string;
}

/** Keeps the event of a deletion; called before it. False where nobody could be told. */
export async function announceDeletion(
  tx: TreeTransaction,
  deleted: Deleted,
  limits: AnnounceLimits,
): Promise<boolean> {
  const { user, request, place, path } = deleted;
  const above = place.levels.slice(1);
  const inherited = await subscriptionsOn(tx, above, limits.embeddedSubscriptions);
  const own = await tx.subtreeSubscriptions(path, limits.embeddedSubscriptions + 1);
  if (inherited?.length === 0 && own.length === 0) {
    return false;
  }
  const objects = await tx.subtree(path, limits.embeddedObjects + 1);
  const rows = [...(inherited ?? []), ...own];
  const isSmall =
    inherited !== undefined && rows.length <= limits.embeddedSubscriptions && objects.length <= limits.embeddedObjects;
  const concerned = isSmall ? concernedObjects(objects, above, rows) : [];
  if (isSmall && concerned.length === 0) {
    return false;
  }
  const isEmbedded = isSmall && bytesOf(concerned) <= limits.embeddedBytes;
  await keep(
    tx,
    {
      event: 'DELETED',
      user,
      request,
      groups: place.groups,
      objects: isEmbedded ? concerned : [],
      subscriptions: isEmbedded ? rows : undefined,
    },
    path,
  );
  return true;
}

async function keep(
  tx: TreeTransaction,
  content: Omit<ChangeEvent, 'groups' | 'subscriptions'> & {
    readonly groups: string | undefined;
    readonly subscriptions: readonly SubscriptionRow[] | undefined;
  },
  path: string,
): Promise<void> {
  const { event, subscriptions } = content;
  // What is undefined is left out.
  const body = JSON.stringify({ ...content, trace: activeSpan()?.context });
  await tx.addEvent({ event, path, body, paged: subscriptions === undefined });
}

/** All subscriptions on these levels; undefined where they are more than `limit`. */
async function subscriptionsOn(
  tx: TreeTransaction,
  levels: readonly Level[],
  limit: number,
): Promise<SubscriptionRow[] | undefined> {
  const rows: SubscriptionRow[] = [];
  for (const level of levels) {
    if (level.subscribers > 0) {
      rows.push(...(await tx.subscriptions(level.path, { limit: limit + 1 - rows.length })));
    }
    if (rows.length > limit) {
      return undefined;
    }
  }
  return rows;
}

/** The object's own subscriptions, where all readers with the right may see them. */
async function shownOf(
  tx: TreeTransaction,
  { path, subscribers }: StoredObject,
  rows: readonly SubscriptionRow[] | undefined,
): Promise<readonly SubscriptionRow[] | undefined> {
  if (subscribers > LIMITS.subscriptionsShown) {
    return undefined;
  }
  return rows?.filter((row) => row.path === path) ?? (await tx.subscriptions(path, { limit: subscribers }));
}

/** Those objects of a small subtree whose deletion anybody is told of. */
function concernedObjects(
  objects: readonly SubtreeObject[],
  above: readonly Level[],
  rows: readonly SubscriptionRow[],
): ChangedObject[] {
  const acls = new Map([...above, ...objects].map(({ path, acl }) => [path, acl ?? null]));
  return objects
    .filter(({ path }) => subscribersOf('DELETED', path, rows).size > 0)
    .map(({ path, owner }) => ({ path, owner, levels: pathsToRoot(path).map((level) => acls.get(level) ?? null) }));
}

/** Roughly, and in characters: ACLs are nearly all of it. */
function bytesOf(objects: readonly ChangedObject[]): number {
  return objects.reduce((sum, { levels }) => sum + levels.reduce((total, acl) => total + (acl?.length ?? 0), 0), 0);
}

function fragmentsOf(object: StoredObject): NonNullable<ChangedObject['object']> {
  const {
    path: _path,
    version: _version,
    incarnation: _incarnation,
    file: _file,
    subscribers: _count,
    ...rest
  } = object;
  return rest;
}
