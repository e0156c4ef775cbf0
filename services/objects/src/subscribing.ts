/** Subscriptions of an object that changes: rows beside it, of which a patch concerns a few. */
import type { ObjectPatch, SubscriptionChange, SubscriptionRow } from '@fosp/protocol';
import type { StoredObject, TreeTransaction } from './store/store.ts';

/** The rows by which a patch of subscriptions is judged. */
export function subscriptionsNamedBy(
  tx: TreeTransaction,
  { subscriptions }: ObjectPatch,
  { path, subscribers }: StoredObject,
): SubscriptionRow[] | Promise<SubscriptionRow[]> {
  if (subscriptions === undefined || subscribers === 0) {
    return [];
  }
  const which = subscriptions === null ? { limit: subscribers } : { users: subscriptions.keys() };
  return tx.subscriptions(path, which);
}

export async function subscribe(
  tx: TreeTransaction,
  path: string,
  changes: readonly SubscriptionChange[],
): Promise<void> {
  for (const { user, subscription } of changes) {
    await tx.subscribe(path, user, subscription);
  }
}

/** By how much the number of subscriptions grows. */
export function gained(changes: readonly SubscriptionChange[], rows: readonly SubscriptionRow[]): number {
  if (changes.length === 0) {
    return 0;
  }
  const before = new Set(rows.map(({ user }) => user));
  return changes.reduce((sum, { user, subscription }) => sum + (subscription ? 1 : 0) - (before.has(user) ? 1 : 0), 0);
}
