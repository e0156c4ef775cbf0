import assert from 'node:assert/strict';
import {
  acceptsNotification,
  type EventType,
  type Forwarding,
  forwardingOf,
  mergePatch,
  normaliseGroupsPatch,
  type ObjectFragments,
  parseGroups,
  subscribersOf,
  viewOf,
} from '../../src/index.ts';
import { assertFails, maskOf, tableOf } from './cases.ts';
import { type PlainSubscription, rowsOf } from './subscription-rows.ts';

interface ViewCase {
  readonly name: string;
  readonly object: ObjectFragments;
  readonly rights: readonly string[];
  readonly subscriptions?: string;
  readonly shows: readonly string[] | null;
}

export const views = tableOf<ViewCase>('views.json', ({ object, rights, subscriptions, shows }) => {
  if (shows === null) {
    assertFails(() => viewOf(object, maskOf(rights), subscriptions), { status: 403, names: 'read' });
    return;
  }
  const { owner, btime, mtime, ...raw } = object;
  const all: Record<string, string | undefined> = { ...raw, subscriptions };
  for (const [name, value] of Object.entries({ owner, btime, mtime })) {
    all[name] = JSON.stringify(value);
  }
  const view = viewOf(object, maskOf(rights), subscriptions);
  assert.equal(view, `{${shows.map((name) => `"${name}":${all[name]}`).join(',')}}`);
});

interface NotifiedCase {
  readonly name: string;
  readonly event: EventType;
  readonly path: string;
  readonly subscriptions: Readonly<Record<string, Readonly<Record<string, PlainSubscription>>>>;
  readonly notified: readonly string[];
}

export const notified = tableOf<NotifiedCase>('notified.json', (entry) => {
  const users = subscribersOf(entry.event, entry.path, rowsOf(entry.subscriptions));
  assert.deepEqual([...users].sort(), entry.notified);
});

interface GroupsCase {
  readonly name: string;
  readonly data: unknown;
  readonly stored?: unknown;
  readonly groupsOf: Readonly<Record<string, readonly string[]>>;
}

export const groups = tableOf<GroupsCase>('groups.json', ({ data, stored, groupsOf }) => {
  const text = mergePatch(undefined, normaliseGroupsPatch(JSON.stringify(data)));
  assert.equal(text, JSON.stringify(stored ?? data));
  for (const [user, expected] of Object.entries(groupsOf)) {
    assert.deepEqual([...parseGroups(text).groupsOf(user)].sort(), expected, user);
  }
});

interface ForwardingCase {
  readonly name: string;
  readonly user: string;
  readonly domain: string;
  readonly ownDomains: readonly string[];
  readonly peer: string | null;
  readonly expected: Forwarding;
}

export const requests = tableOf<ForwardingCase>(
  'forwarding.json',
  ({ user, domain, ownDomains, peer, expected }) => {
    assert.equal(forwardingOf({ user, domain, ownDomains: new Set(ownDomains), peer: peer ?? undefined }), expected);
  },
  'requests',
);

interface NotificationCase {
  readonly name: string;
  readonly user: string;
  readonly domain: string;
  readonly ownDomains: readonly string[];
  readonly peer: string;
  readonly accepted: boolean;
}

export const notifications = tableOf<NotificationCase>(
  'forwarding.json',
  ({ accepted, ownDomains, ...question }) => {
    assert.equal(acceptsNotification({ ...question, ownDomains: new Set(ownDomains) }), accepted);
  },
  'notifications',
);
