/** Subscriptions as the fixtures spell them, as rows. */
import { EVENT_BITS, type SubscriptionRow } from '../../src/index.ts';

export interface PlainSubscription {
  readonly events: readonly string[];
  readonly depth: number;
}

/** Rows of subscriptions by path and user. */
export function rowsOf(
  byPath: Readonly<Record<string, Readonly<Record<string, PlainSubscription>>>>,
): SubscriptionRow[] {
  return Object.entries(byPath).flatMap(([path, byUser]) =>
    Object.entries(byUser).map(([user, { events, depth }]) => ({ path, user, depth, events: bitsOf(events) })),
  );
}

export function namesOfEvents(bits: number): string[] {
  return Object.entries(EVENT_BITS).flatMap(([name, bit]) => ((bits & bit) === 0 ? [] : [name.toLowerCase()]));
}

function bitsOf(events: readonly string[]): number {
  return Object.entries(EVENT_BITS).reduce(
    (bits, [name, bit]) => (events.includes(name.toLowerCase()) ? bits | bit : bits),
    0,
  );
}
