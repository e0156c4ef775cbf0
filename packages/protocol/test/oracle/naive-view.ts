/** The oracle's views (PROTOCOL §5) and notifications (SPEC §6.2). */
import type { RightName } from './naive-rights.ts';
import { type NaiveObject, type NaiveTree, parentOf } from './naive-tree.ts';

/** Times are not what is judged here. */
export const BTIME = '2007-03-01T13:00:00.000Z';
export const MTIME = '2008-05-11T15:30:00.000Z';

/** What SELECT shows to a user; undefined where that is nothing. ACLs are compared apart: they are stored as given. */
export function viewFor(object: NaiveObject, may: (right: RightName) => boolean): Record<string, unknown> | undefined {
  const reads = {
    data: may('read-data'),
    acl: may('read-acl'),
    subscriptions: may('read-subscriptions'),
    attachment: may('read-attachment'),
    children: may('read-children'),
  };
  if (!(reads.data || reads.acl || reads.subscriptions || reads.attachment || reads.children)) {
    return undefined;
  }
  // "any read right shows `owner`, `btime`, `mtime`"
  const view: Record<string, unknown> = { owner: object.owner, btime: BTIME, mtime: MTIME };
  if (reads.acl && hasAcl(object)) {
    view['acl'] = 'shown';
  }
  if (reads.subscriptions && object.subscribers.size > 0) {
    view['subscriptions'] = shownSubscriptions(object);
  }
  if (reads.attachment && object.file !== undefined) {
    view['attachment'] = { name: object.file.name, size: object.file.size, 'mime-type': object.file.mimeType };
  }
  if (reads.data && object.body.type !== undefined) {
    view['type'] = object.body.type;
  }
  if (reads.data && object.body.data !== undefined) {
    view['data'] = object.body.data;
  }
  return view;
}

/** Whether an ACL says anything; `users` and `groups` without members do not. */
export function hasAcl(object: NaiveObject): boolean {
  const { owner, users = {}, groups = {}, other, others } = object.body.acl ?? {};
  return Boolean(owner ?? other ?? others) || Object.keys(users).length > 0 || Object.keys(groups).length > 0;
}

/** "shown flat, both members always present, events lower-cased" */
function shownSubscriptions(object: NaiveObject): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [user, { events, depth }] of object.subscribers) {
    const known = ['CREATED', 'UPDATED', 'DELETED'].filter((event) => events.includes(event));
    shown[user] = { events: known.map((event) => event.toLowerCase()), depth };
  }
  return shown;
}

/** Why a subscription was met on the way: for statistics. */
export interface Met {
  readonly user: string;
  readonly distance: number;
  readonly depth: number;
  readonly matches: 'yes' | 'other event' | 'too far';
}

/** The draft's algorithm, step by step. */
export function notifiedOf(
  tree: NaiveTree,
  event: string,
  path: string,
): { readonly users: Set<string>; readonly met: Met[] } {
  const users = new Set<string>();
  const met: Met[] = [];
  let current = path;
  let distance = 0;
  for (;;) {
    // "1. Read the subscriptions from the current object."
    for (const [user, { events, depth }] of tree.objects.get(current)?.subscribers ?? []) {
      // "2. If the event that occurred is in the list of subscribed events and the distance of the current object to the
      // object where the event occurred is smaller or equal to the depth of the subscription or the depth is equal to -1"
      const subscribed = events.includes(event);
      const near = distance <= depth || depth === -1;
      if (subscribed && near) {
        users.add(user);
      }
      met.push({ user, distance, depth, matches: subscribed ? (near ? 'yes' : 'too far') : 'other event' });
    }
    // "3. Go to the parent of the current object and repeat from step 1. unless the current object is the root object"
    if (current === '') {
      return { users, met };
    }
    current = parentOf(current);
    distance++;
  }
}
