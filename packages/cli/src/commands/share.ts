import { type FospClient, type FospObject, isFospError } from '@fosp/client';
import { formatResourceId, parseResourceId, parseUserId } from '@fosp/protocol';
import { asUser, type Context } from '../context.ts';

/** Rights in the spelling that all programs know (PROTOCOL §5). */
const READ = ['data-read', 'attachment-read', 'children-read'];
const WRITE = ['data-write', 'attachment-write', 'children-write', 'children-delete'];
/** Who may change `subscriptions` without owning the object may change their own entry alone. */
const WATCH = ['subscriptions-read', 'subscriptions-write'];
const MANAGE = ['acl-read', 'acl-write'];

export const SHARED_RIGHTS = { read: READ, write: [...READ, ...WRITE], manage: [...READ, ...WRITE, ...MANAGE] };

export interface ShareOptions {
  readonly rights: keyof typeof SHARED_RIGHTS;
  readonly watch: boolean;
}

/** Gives someone rights on an object and all below it; with `watch`, also to subscribe to what changes there. */
export async function share(context: Context, resource: string, user: string, options: ShareOptions): Promise<void> {
  const name = parseUserId(user);
  const rights = [...SHARED_RIGHTS[options.rights], ...(options.watch ? WATCH : [])];
  await asUser(context, (client) => client.update(resource, { acl: { users: { [name]: rights } } }));
  const verbs = `${options.rights}${options.watch ? ' and watch' : ''}`;
  context.output.result(`${name} may now ${verbs} ${resource} and all below it`, { resource, user: name, rights });
}

export interface UnshareOptions {
  /** Also what was given, and subscribed to, on objects further below. */
  readonly below: boolean;
}

/**
 * Takes back what `share` gave on this object, and the subscription there. A subscription further below tells nothing any
 * more: notifications are for those who may read. What was given further below, or above, stays.
 */
export async function unshare(
  context: Context,
  resource: string,
  user: string,
  options: UnshareOptions,
): Promise<void> {
  const name = parseUserId(user);
  const top = formatResourceId(parseResourceId(resource));
  const objects = await asUser(context, async (client) => {
    await client.update(top, takenFrom(name));
    return options.below ? 1 + (await unshareBelow(client, top, name)) : 1;
  });
  const where = options.below ? `${top} and all below it (${objects} objects)` : top;
  context.output.result(`${name} has no rights of their own on ${where} any more`, {
    resource: top,
    user: name,
    objects,
  });
}

function takenFrom(user: string): Record<string, unknown> {
  return { acl: { users: { [user]: null } }, subscriptions: { [user]: null } };
}

/** How many objects named the user. What vanishes meanwhile needs nothing. */
async function unshareBelow(client: FospClient, top: string, user: string): Promise<number> {
  let changed = 0;
  const waiting = [top];
  for (let parent = waiting.pop(); parent !== undefined; parent = waiting.pop()) {
    for (const child of await Array.fromAsync(client.list(parent))) {
      const resource = `${parent.replace(/\/$/, '')}/${child}`;
      try {
        if (names((await client.select(resource)).value, user)) {
          await client.update(resource, takenFrom(user));
          changed++;
        }
        waiting.push(resource);
      } catch (error) {
        if (!isFospError(error) || error.code !== 'not-found') {
          throw error;
        }
      }
    }
  }
  return changed;
}

function names({ acl, subscriptions }: FospObject, user: string): boolean {
  const users = acl?.['users'];
  return subscriptions?.[user] !== undefined || (typeof users === 'object' && users !== null && user in users);
}
