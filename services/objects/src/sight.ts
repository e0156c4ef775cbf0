/** One place of a tree as its readers are served from it: nothing in it is parsed or compiled again. */
import {
  type CompiledAcl,
  type Groups,
  LIMITS,
  READ_RIGHTS,
  RIGHTS,
  type RightsMask,
  rightsOf,
  shownSubscriptions,
  subscriptionsView,
  viewOf,
} from '@fosp/protocol';
import type { Policies } from './policies.ts';
import type { Snapshot, StoredObject } from './store/store.ts';

export interface Sight {
  /** Undefined where there is none. */
  readonly object: StoredObject | undefined;
  /** Owner of the object or, where there is none, of the nearest existing ancestor; undefined without a tree. */
  readonly owner: string | undefined;
  /** ACLs from there up to the root. */
  readonly levels: readonly (CompiledAcl | undefined)[];
  readonly groups: Groups;
  /** Raw JSON of the subscriptions that every reader with the right may see. */
  readonly subscriptions: string | undefined;
  /** Whether there are so many subscriptions that each reader sees their own alone. */
  readonly isCrowded: boolean;
  /** The view that was last put together: most readers have the same rights. */
  lastView: { readonly rights: RightsMask; readonly bytes: Uint8Array } | undefined;
}

export function sightOf(snapshot: Snapshot, policies: Policies): Sight {
  const { object, levels, groups, subscriptions } = snapshot;
  const isCrowded = object !== undefined && object.subscribers > LIMITS.subscriptionsShown;
  return {
    object,
    owner: levels[0]?.owner,
    levels: levels.map(({ acl }) => policies.acl(acl)),
    groups: policies.groups(groups),
    subscriptions: isCrowded ? undefined : subscriptionsView(subscriptions),
    isCrowded,
    lastView: undefined,
  };
}

export function rightsIn(sight: Sight, user: string): RightsMask {
  return sight.owner === undefined ? 0 : rightsOf(user, sight.owner, sight.levels, sight.groups);
}

/** Whether this reader's view needs their own subscription, which the sight does not have. */
export function needsOwnSubscription(sight: Sight, rights: RightsMask): boolean {
  return sight.isCrowded && (rights & RIGHTS.readSubscriptions) !== 0;
}

/** What SELECT answers to a reader with these rights, one of `READ_RIGHTS` among them. */
export function viewIn(sight: Sight, object: StoredObject, rights: RightsMask): Uint8Array {
  const reading = rights & READ_RIGHTS;
  if (sight.lastView?.rights !== reading) {
    sight.lastView = { rights: reading, bytes: Buffer.from(viewOf(object, reading, sight.subscriptions), 'utf8') };
  }
  return sight.lastView.bytes;
}

/** The same where each reader sees their own subscription alone; the snapshot was made for this reader. */
export function crowdedView(
  snapshot: Snapshot,
  object: StoredObject,
  reader: { user: string; rights: RightsMask },
): Uint8Array {
  const own = shownSubscriptions(snapshot.subscriptions, reader.user);
  return Buffer.from(viewOf(object, reader.rights, own), 'utf8');
}
