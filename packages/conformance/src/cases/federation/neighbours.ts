/** A user of the server under test, and one of another domain who works on the first one's tree from their own server. */
import type { Context } from '../../case.ts';
import type { Client } from '../../client.ts';
import type { Body } from '../../wire/message.ts';

export const RIGHTS = ['data', 'acl', 'subscriptions', 'attachment', 'children'].flatMap((what) => [
  `read-${what}`,
  `write-${what}`,
]);
export const ALL_RIGHTS = [...RIGHTS, 'delete-children'];
export const ALL_EVENTS = ['created', 'updated', 'deleted'];

export interface Stage {
  /** Whose tree it is, on the server under test. */
  readonly host: Client;
  /** Of the peer's domain, connected to the peer. */
  readonly guest: Client;
  /** In the tree of the host. */
  readonly folder: string;
}

/** A folder on which the guest holds these rights, beside what the object says. */
export async function stage(
  t: Context,
  rights: readonly string[] = ALL_RIGHTS,
  object: Readonly<Record<string, unknown>> = {},
): Promise<Stage> {
  const [host, guest] = await Promise.all([t.shared('alice'), t.peer.shared('alice')]);
  const body: Body = { acl: { users: { [guest.user]: rights } }, ...object };
  return { host, guest, folder: await t.folder(host, body) };
}

export function everyEvent(depth: number, ...clients: readonly Pick<Client, 'user'>[]): Record<string, unknown> {
  return Object.fromEntries(clients.map(({ user }) => [user, { events: ALL_EVENTS, depth }]));
}
