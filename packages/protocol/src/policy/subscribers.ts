/** Who is told of a change (SPEC §6.2). */
import type { EventType } from '../message.ts';
import { pathsToRoot } from '../resource-id.ts';
import { EVENT_BITS, type SubscriptionRow } from '../subscriptions.ts';

/**
 * The users whom an event at `path` concerns, each once. `rows` are subscriptions of one tree; those on objects other than
 * the changed one and its ancestors do not count. Who of them may read the object is for `rightsOf` to say.
 */
export function subscribersOf(event: EventType, path: string, rows: readonly SubscriptionRow[]): Set<string> {
  const distances = new Map(pathsToRoot(path).map((ancestor, distance) => [ancestor, distance]));
  const bit = EVENT_BITS[event];
  const users = new Set<string>();
  for (const row of rows) {
    const distance = distances.get(row.path);
    if (distance !== undefined && (row.events & bit) !== 0 && (row.depth === -1 || distance <= row.depth)) {
      users.add(row.user);
    }
  }
  return users;
}
