/** What a campaign met: a comparison shows nothing about a rule that never decided anything. */
import type { Decision, RightName } from './naive-rights.ts';
import type { NaiveObject } from './naive-tree.ts';
import { hasAcl, type Met } from './naive-view.ts';

export type Statistics = Map<string, number>;

/** Everything that must be met. */
const EXPECTED: readonly string[] = [
  ...['users', 'owner', 'groups', 'other'].flatMap((by) => [`${by}: granted`, `${by}: denied by not-`]),
  ...['users', 'owner', 'groups'].flatMap((by) => [
    `${by}: granted against a less specific not-`,
    `${by}: denied against a less specific grant`,
  ]),
  ...['users', 'owner', 'groups', 'other'].map((by) => `${by}: not- beside the same right`),
  ...['read-data', 'data-read', '{"data":["read"]}'].map((spelling) => `spelled ${spelling}`),
  ...[0, 1, 2, 3, 4].map((up) => `decided ${up} levels up`),
  'denied: set nowhere up to the root',
  'denied: set nowhere, five levels',
  'attachment: granted by the data right',
  'attachment: denied by the data right',
  'attachment: denied, no data right either',
  'attachment: set itself',
  'view: none',
  'view: metadata alone',
  ...['acl', 'subscriptions', 'attachment', 'type', 'data'].flatMap((name) => [
    `view: ${name} shown`,
    `view: ${name} hidden`,
    `view: ${name} absent`,
  ]),
  'notified: at distance 0',
  'notified: at distance 1',
  'notified: at distance 2 or more',
  'notified: at any distance',
  'notified: by two subscriptions',
  'notified: nobody',
  'not notified: too far',
  'not notified: other event',
  'not notified: no read right',
];

export function newStatistics(): Statistics {
  return new Map(EXPECTED.map((name) => [name, 0]));
}

/** What a campaign should have met, and did not. */
export function missing(statistics: Statistics): string[] {
  return EXPECTED.filter((name) => (statistics.get(name) ?? 0) === 0);
}

export function countDecision(statistics: Statistics, right: RightName, decision: Decision): void {
  const { allowed, by, up, fellBack } = decision;
  if (fellBack) {
    const denied =
      by === 'nothing' ? 'attachment: denied, no data right either' : 'attachment: denied by the data right';
    count(statistics, allowed ? 'attachment: granted by the data right' : denied);
    return;
  }
  if (by === 'nothing') {
    count(statistics, up >= 4 ? 'denied: set nowhere, five levels' : 'denied: set nowhere up to the root');
    return;
  }
  if (right.endsWith('attachment')) {
    count(statistics, 'attachment: set itself');
  }
  count(statistics, `${by}: ${allowed ? 'granted' : 'denied by not-'}`);
  count(statistics, `decided ${up} levels up`);
  count(statistics, `spelled ${decision.spelling}`);
  if (decision.overruled) {
    count(
      statistics,
      `${by}: ${allowed ? 'granted against a less specific not-' : 'denied against a less specific grant'}`,
    );
  }
  if (decision.bothSaid) {
    count(statistics, `${by}: not- beside the same right`);
  }
}

export function countView(
  statistics: Statistics,
  view: Record<string, unknown> | undefined,
  object: NaiveObject | undefined,
): void {
  if (view === undefined || object === undefined) {
    count(statistics, 'view: none');
    return;
  }
  const has: Record<string, boolean> = {
    acl: hasAcl(object),
    subscriptions: object.subscribers.size > 0,
    attachment: object.file !== undefined,
    type: object.body.type !== undefined,
    data: object.body.data !== undefined,
  };
  for (const [name, present] of Object.entries(has)) {
    count(statistics, `view: ${name} ${view[name] !== undefined ? 'shown' : present ? 'hidden' : 'absent'}`);
  }
  if (Object.keys(view).length === 3) {
    count(statistics, 'view: metadata alone');
  }
}

export function countNotified(
  statistics: Statistics,
  { users, met, told }: { readonly users: ReadonlySet<string>; readonly met: readonly Met[]; readonly told: number },
): void {
  for (const { user, distance, depth, matches } of met) {
    if (matches === 'yes') {
      count(statistics, `notified: at distance ${distance < 2 ? distance : '2 or more'}`);
      if (depth === -1 && distance > 0) {
        count(statistics, 'notified: at any distance');
      }
      if (met.filter((other) => other.user === user && other.matches === 'yes').length > 1) {
        count(statistics, 'notified: by two subscriptions');
      }
    } else {
      count(statistics, `not notified: ${matches}`);
    }
  }
  if (users.size > told) {
    count(statistics, 'not notified: no read right');
  }
  if (told === 0) {
    count(statistics, 'notified: nobody');
  }
}

function count(statistics: Statistics, name: string): void {
  statistics.set(name, (statistics.get(name) ?? 0) + 1);
}
