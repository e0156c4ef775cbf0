import { type ClientEvent, type FospClient, isFospError } from '@fosp/client';
import { formatResourceId, isSelfOrAncestor, parseResourceId, type ResourceId } from '@fosp/protocol';
import { asUser, type Context } from '../context.ts';

const EVENTS = ['created', 'updated', 'deleted'];

export interface WatchOptions {
  /** Levels below the object; -1 for all. */
  readonly depth: number;
  /** Leave the subscription behind when the command ends. */
  readonly keep: boolean;
}

/**
 * Subscribes to an object and prints what changes there, until interrupted or until nobody reads any more; then puts the
 * subscription back as it was.
 */
export async function watch(context: Context, resource: string, options: WatchOptions): Promise<void> {
  const watched = parseResourceId(resource);
  const name = formatResourceId(watched);
  await asUser(context, async (client) => {
    const user = client.user ?? '';
    const before = options.keep ? undefined : await subscriptionOf(client, name, user);
    const events = client.notifications();
    const stop = (): void => void events.return?.(undefined);
    process.once('SIGINT', stop).once('SIGTERM', stop);
    context.output.unread.addEventListener('abort', stop);
    try {
      await client.update(name, { subscriptions: { [user]: { events: EVENTS, depth: options.depth } } });
      context.output.result(`Watching ${name} as ${user}; Ctrl-C ends it.`, { watching: name, user });
      for await (const event of events) {
        if (event.kind === 'gap' || isWithin(watched, options.depth, event.resource)) {
          print(context, event);
        }
      }
    } finally {
      if (!options.keep) {
        await restore(client, name, { [user]: before ?? null });
      }
    }
  });
}

async function subscriptionOf(client: FospClient, resource: string, user: string): Promise<unknown> {
  const { value } = await client.select(resource);
  return value.subscriptions?.[user];
}

/** What was deleted or taken back meanwhile needs no restoring. */
async function restore(client: FospClient, resource: string, subscriptions: object): Promise<void> {
  try {
    await client.update(resource, { subscriptions });
  } catch (error) {
    if (!isFospError(error) || !['not-found', 'forbidden', 'unauthenticated'].includes(error.code)) {
      throw error;
    }
  }
}

/** A user's connections hear of everything that the user is subscribed to, wherever it is. */
function isWithin(watched: ResourceId, depth: number, resource: string): boolean {
  const { tree, path } = parseResourceId(resource);
  if (tree !== watched.tree || !isSelfOrAncestor(watched.path, path)) {
    return false;
  }
  return depth < 0 || levels(path) - levels(watched.path) <= depth;
}

function levels(path: string): number {
  return path.split('/').length;
}

function print(context: Context, event: ClientEvent): void {
  if (event.kind === 'gap') {
    context.output.result('(the connection was lost for a while; something may have been missed)', { gap: true });
    return;
  }
  const object = event.text === undefined ? undefined : JSON.parse(event.text);
  const shown = event.text === undefined ? '' : ` ${event.text}`;
  context.output.result(`${event.event} ${event.resource}${shown}`, {
    event: event.event,
    resource: event.resource,
    object,
  });
}
