import assert from 'node:assert/strict';
import {
  ALL_RIGHTS,
  type Change,
  changeOf,
  isChange,
  judgeChange,
  LIMITS,
  type ObjectFields,
  type ObjectLimits,
  parseObjectBody,
  rightNames,
  type SubscriptionChange,
} from '../../src/index.ts';
import { assertFails, type ExpectedError, maskOf, tableOf } from './cases.ts';
import { namesOfEvents, type PlainSubscription, rowsOf } from './subscription-rows.ts';

interface UpdateCase {
  readonly name: string;
  readonly path: string;
  readonly before: ObjectFields;
  readonly subscriptions?: Readonly<Record<string, PlainSubscription>>;
  readonly body: string;
  readonly by: {
    readonly user: string;
    readonly owner: string;
    readonly tree: string;
    readonly rights?: readonly string[];
  };
  readonly limits?: ObjectLimits;
  readonly expected?: {
    readonly needs: readonly string[];
    readonly after: ObjectFields;
    readonly subscriptions: Readonly<Record<string, PlainSubscription | null>>;
  };
  readonly error?: ExpectedError;
}

export const updates = tableOf<UpdateCase>('updates.json', (entry) => {
  if (entry.error !== undefined) {
    assertFails(() => update(entry), entry.error);
    return;
  }
  const change = update(entry);
  assert.deepEqual(rightNames(change.needs), entry.expected?.needs);
  assert.deepEqual(change.after, entry.expected?.after);
  assert.deepEqual(plainChanges(change.subscriptions), entry.expected?.subscriptions);
  assert.equal(isChange(change), entry.expected?.needs.length !== 0);
  const names = ['acl', 'attachment', 'data', 'type'] as const;
  assert.deepEqual(
    [...change.fields].sort(),
    names.filter((name) => entry.before[name] !== change.after[name]),
  );
});

function update({ path, before, subscriptions, body, by, limits = LIMITS }: UpdateCase): Change {
  const rows = rowsOf({ [path]: subscriptions ?? {} });
  const change = changeOf(before, parseObjectBody(body, 'update', { path, limits }), { path, rows });
  judgeChange(change, { ...by, rights: by.rights === undefined ? ALL_RIGHTS : maskOf(by.rights) }, limits);
  return change;
}

function plainChanges(changes: readonly SubscriptionChange[]): Record<string, unknown> {
  return Object.fromEntries(
    changes.map(({ user, subscription }) => [
      user,
      subscription && { events: namesOfEvents(subscription.events), depth: subscription.depth },
    ]),
  );
}
