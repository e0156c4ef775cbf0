import { describe, expect, it } from 'vitest';
import {
  acceptsNotification,
  attachmentText,
  type EventType,
  type Forwarding,
  forwardingOf,
  type ObjectFragments,
  parseGroups,
  shownSubscriptions,
  subscribersOf,
  subscriptionsView,
  validateGroups,
  viewOf,
} from '../src/index.ts';
import { casesOf, maskOf } from './cases.ts';
import { type PlainSubscription, rowsOf } from './subscription-rows.ts';

interface ViewCase {
  readonly name: string;
  readonly object: ObjectFragments;
  readonly rights: readonly string[];
  readonly subscriptions?: string;
  readonly shows: readonly string[] | null;
}

describe('views', () => {
  it.each(casesOf<ViewCase>('views.json'))('$name', ({ object, rights, subscriptions, shows }) => {
    if (shows === null) {
      expect(() => viewOf(object, maskOf(rights), subscriptions)).toThrow(expect.objectContaining({ status: 403 }));
      return;
    }
    const { owner, btime, mtime, ...raw } = object;
    const all: Record<string, string | undefined> = { ...raw, subscriptions };
    for (const [name, value] of Object.entries({ owner, btime, mtime })) {
      all[name] = JSON.stringify(value);
    }
    const view = viewOf(object, maskOf(rights), subscriptions);
    expect(view).toBe(`{${shows.map((name) => `"${name}":${all[name]}`).join(',')}}`);
    expect(() => JSON.parse(view)).not.toThrow();
  });

  const rows = rowsOf({
    '/a': { 'a@x': { events: ['created', 'deleted'], depth: -1 }, 'b@x': { events: [], depth: 0 } },
  });

  it('F52 shows subscriptions flat, both members always, events in small letters', () => {
    expect(subscriptionsView(rows)).toBe(
      '{"a@x":{"events":["created","deleted"],"depth":-1},"b@x":{"events":[],"depth":0}}',
    );
    expect(subscriptionsView([])).toBeUndefined();
  });

  it('F52 shows a reader only their own of too many subscriptions', () => {
    expect(shownSubscriptions(rows, 'b@x', 2)).toBe(subscriptionsView(rows));
    expect(shownSubscriptions(rows, 'b@x', 1)).toBe('{"b@x":{"events":[],"depth":0}}');
    expect(shownSubscriptions(rows, 'c@x', 1)).toBeUndefined();
  });

  it('F40 writes what is known of a file', () => {
    expect(attachmentText({ size: 0 })).toBe('{"size":0}');
    expect(attachmentText({ name: '"é', size: 5, mimeType: 'x/y' })).toBe('{"name":"\\"é","size":5,"mime-type":"x/y"}');
  });
});

interface NotifiedCase {
  readonly name: string;
  readonly event: EventType;
  readonly path: string;
  readonly subscriptions: Readonly<Record<string, Readonly<Record<string, PlainSubscription>>>>;
  readonly notified: readonly string[];
}

describe('who is notified', () => {
  it.each(casesOf<NotifiedCase>('notified.json'))('$name', ({ event, path, subscriptions, notified }) => {
    expect([...subscribersOf(event, path, rowsOf(subscriptions))].sort()).toEqual(notified);
  });
});

interface GroupsCase {
  readonly name: string;
  readonly data: unknown;
  readonly stored?: unknown;
  readonly groupsOf: Readonly<Record<string, readonly string[]>>;
}

describe('groups', () => {
  it.each(casesOf<GroupsCase>('groups.json'))('$name', ({ data, stored, groupsOf }) => {
    const text = validateGroups(JSON.stringify(data));
    expect(text).toBe(JSON.stringify(stored ?? data));
    for (const [user, groups] of Object.entries(groupsOf)) {
      expect([...parseGroups(text).groupsOf(user)].sort(), user).toEqual(groups);
    }
  });

  it('F42 knows no groups where there is no list of them', () => {
    for (const data of [undefined, 'null', '5', '[]', '"x"', '{"g":5,"h":[1],"a@x":"g"}']) {
      expect(parseGroups(data).groupsOf('a@x')).toEqual([]);
    }
  });

  it('F42 is not slowed down by many spellings of one user', () => {
    const keys = Array.from({ length: 4000 }, (_, index) => `"${spelling(index)}@x.lit":["g${index}"]`);
    expect(parseGroups(validateGroups(`{${keys.join(',')}}`)).groupsOf('abcdefghijkl@x.lit')).toHaveLength(4000);
  });
});

interface ForwardingCase {
  readonly name: string;
  readonly user: string;
  readonly domain: string;
  readonly ownDomains: readonly string[];
  readonly peer: string | null;
  readonly expected: Forwarding;
}

interface NotificationCase {
  readonly name: string;
  readonly user: string;
  readonly domain: string;
  readonly ownDomains: readonly string[];
  readonly peer: string;
  readonly accepted: boolean;
}

describe('forwarding', () => {
  it.each(casesOf<ForwardingCase>('forwarding.json', 'requests'))(
    '$name',
    ({ user, domain, ownDomains, peer, expected }) => {
      expect(forwardingOf({ user, domain, ownDomains: new Set(ownDomains), peer: peer ?? undefined })).toBe(expected);
    },
  );

  it.each(casesOf<NotificationCase>('forwarding.json', 'notifications'))(
    '$name',
    ({ accepted, ownDomains, ...question }) => {
      expect(acceptsNotification({ ...question, ownDomains: new Set(ownDomains) })).toBe(accepted);
    },
  );
});

function spelling(bits: number): string {
  return [...'abcdefghijkl'].map((letter, index) => ((bits >> index) & 1 ? letter.toUpperCase() : letter)).join('');
}
