import type { ClientEvent, FospClient } from '@fosp/client';
import { asUser, type Context } from '../context.ts';

export interface WatchOptions {
  /** Levels below the object; -1 for all. */
  readonly depth: number;
  /** Leave the subscription behind when the command ends. */
  readonly keep: boolean;
}

/**
 * Subscribes to an object and prints what changes, until interrupted; then puts the subscription back as it was.
 */
export async function watch(context: Context, resource: string, options: WatchOptions): Promise<void> {
  await asUser(context, async (client) => {
    const user = client.user ?? '';
    const events = client.notifications();
    const before = options.keep ? undefined : await subscriptionOf(client, resource, user);
    await client.update(resource, {
      subscriptions: { [user]: { events: ['created', 'updated', 'deleted'], depth: options.depth } },
    });
    context.output.result(`Watching ${resource} as ${user}; Ctrl-C ends it.`, { watching: resource, user });
    const stop = (): void => void events.return?.(undefined);
    process.once('SIGINT', stop).once('SIGTERM', stop);
    for await (const event of events) {
      print(context, event);
    }
    if (!options.keep) {
      await client.update(resource, { subscriptions: { [user]: before ?? null } });
    }
  });
}

async function subscriptionOf(client: FospClient, resource: string, user: string): Promise<unknown> {
  const { value } = await client.select(resource);
  return value.subscriptions?.[user];
}

function print(context: Context, event: ClientEvent): void {
  if (event.kind === 'gap') {
    context.output.result('(the connection was lost for a while; something may have been missed)', { gap: true });
    return;
  }
  const object = event.text === undefined ? '' : ` ${event.text}`;
  const value = {
    event: event.event,
    resource: event.resource,
    object: event.text === undefined ? undefined : JSON.parse(event.text),
  };
  context.output.result(`${event.event} ${event.resource}${object}`, value);
}
