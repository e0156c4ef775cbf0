import { asUser, type Context } from '../context.ts';
import { CommandError, EXIT } from '../exit-codes.ts';

/** Rights in the spelling that all programs know (PROTOCOL §5). */
const READ = ['data-read', 'attachment-read', 'children-read'];
const WRITE = ['data-write', 'attachment-write', 'children-write', 'children-delete'];
const WATCH = ['subscriptions-read', 'subscriptions-write'];
const MANAGE = ['acl-read', 'acl-write'];

export interface ShareOptions {
  readonly rights: string;
  readonly watch: boolean;
}

/** Gives someone rights on an object and all below it; with `watch`, also to subscribe to what changes there. */
export async function share(context: Context, resource: string, user: string, options: ShareOptions): Promise<void> {
  const rights = [...rightsNamed(options.rights), ...(options.watch ? WATCH : [])];
  await asUser(context, (client) => client.update(resource, { acl: { users: { [user]: rights } } }));
  context.output.result(
    `${user} may now ${options.rights}${options.watch ? ' and watch' : ''} ${resource} and all below it`,
    {
      resource,
      user,
      rights,
    },
  );
}

/** Takes back what `share` gave on this object; rights from levels above stay. */
export async function unshare(context: Context, resource: string, user: string): Promise<void> {
  const changes = { acl: { users: { [user]: null } }, subscriptions: { [user]: null } };
  await asUser(context, (client) => client.update(resource, changes));
  context.output.result(`${user} has no rights of their own on ${resource} any more`, { resource, user });
}

function rightsNamed(name: string): string[] {
  switch (name) {
    case 'read':
      return READ;
    case 'write':
      return [...READ, ...WRITE];
    case 'manage':
      return [...READ, ...WRITE, ...MANAGE];
    default:
      throw new CommandError(`unknown rights "${name}"; use read, write or manage`, EXIT.usage);
  }
}
