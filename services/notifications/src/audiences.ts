/**
 * Who is told of one changed object, and in which words (SPEC §6.2, PROTOCOL §6): each subscriber gets the object as SELECT
 * would show it to them, whoever holds no read right gets nothing. Users who may see the same share one encoded notification.
 * Pure: what it decides by comes in, nothing is sent here.
 */
import type { ChangedObject, ChangeEvent } from '@fosp/bus';
import {
  type CompiledAcl,
  encodeNotificationHead,
  type Groups,
  READ_RIGHTS,
  RIGHTS,
  type RightsMask,
  rightsOf,
  type SubscriptionRow,
  subscribersOf,
  subscriptionsView,
  viewOf,
} from '@fosp/protocol';

/** Users who are told the same. */
export interface Audience {
  readonly users: readonly string[];
  /** A whole FOSP message. */
  readonly notification: Uint8Array;
  /** Its body: the view, JSON; empty for DELETED. */
  readonly body: string;
}

export interface AudienceContext {
  readonly tree: string;
  readonly event: ChangeEvent['event'];
  readonly groups: Groups;
  /** The object's ACLs, up to the root's. */
  readonly levels: readonly (CompiledAcl | undefined)[];
  /** Rows of the object and its ancestors; with the rows of all objects it does no harm. */
  readonly rows: readonly SubscriptionRow[];
}

export function audiencesOf(changed: ChangedObject, context: AudienceContext): Audience[] {
  const usersByView = new Map<string | RightsMask, { readonly users: string[]; readonly rights: RightsMask }>();
  for (const user of subscribersOf(context.event, changed.path, context.rows)) {
    const rights = rightsOf(user, changed.owner, context.levels, context.groups) & READ_RIGHTS;
    if (rights === 0) {
      continue;
    }
    const view = viewKey(changed, rights, user);
    const sharing = usersByView.get(view);
    if (sharing) {
      sharing.users.push(user);
    } else {
      usersByView.set(view, { users: [user], rights });
    }
  }
  return Array.from(usersByView.values(), ({ users, rights }) => ({
    users,
    ...notificationOf(changed, context, { rights, user: users[0] ?? '' }),
  }));
}

/** Equal keys, equal views. A DELETED event shows nothing, so it is the same for all. */
function viewKey(changed: ChangedObject, rights: RightsMask, user: string): string | RightsMask {
  if (changed.object === undefined) {
    return 0;
  }
  return showsOwnRowAlone(changed, rights) ? `${rights} ${user}` : rights;
}

/** An object with too many entries shows each reader their own only. */
function showsOwnRowAlone(changed: ChangedObject, rights: RightsMask): boolean {
  return changed.shown === undefined && (rights & RIGHTS.readSubscriptions) !== 0;
}

interface Reader {
  readonly user: string;
  readonly rights: RightsMask;
}

function notificationOf(changed: ChangedObject, context: AudienceContext, reader: Reader): Omit<Audience, 'users'> {
  const resource = { tree: context.tree, path: changed.path };
  if (changed.object === undefined) {
    return { notification: Buffer.from(encodeNotificationHead(context.event, resource)), body: '' };
  }
  const body = viewOf(changed.object, reader.rights, subscriptionsShown(changed, context.rows, reader));
  const head = encodeNotificationHead(context.event, resource, { hasBody: true });
  return { notification: Buffer.from(head + body), body };
}

function subscriptionsShown(
  changed: ChangedObject,
  rows: readonly SubscriptionRow[],
  reader: Reader,
): string | undefined {
  if ((reader.rights & RIGHTS.readSubscriptions) === 0) {
    return undefined;
  }
  const own = () => rows.filter((row) => row.path === changed.path && row.user === reader.user);
  return subscriptionsView(changed.shown ?? own());
}
