import { describe, expect, it } from 'vitest';
import {
  ALL_RIGHTS,
  changeOf,
  contentsOf,
  isChange,
  judgeChange,
  LIMITS,
  neededOnParent,
  type ObjectFields,
  parseObjectBody,
  rightNames,
  type SubscriptionChange,
  type SubscriptionRow,
} from '../src/index.ts';
import { casesOf, maskOf } from './cases.ts';
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
  readonly limits?: { readonly objectBytes: number; readonly aclBytes: number };
  readonly expected?: {
    readonly needs: readonly string[];
    readonly after: ObjectFields;
    readonly subscriptions: Readonly<Record<string, PlainSubscription | null>>;
  };
  readonly error?: { readonly status: number; readonly names: string };
}

function run({ path, before, subscriptions, body, by, limits }: UpdateCase) {
  const rows: SubscriptionRow[] = rowsOf({ [path]: subscriptions ?? {} });
  const change = changeOf(before, parseObjectBody(body, 'update'), { path, rows });
  judgeChange(change, { ...by, rights: by.rights === undefined ? ALL_RIGHTS : maskOf(by.rights) }, limits ?? LIMITS);
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

const cases = casesOf<UpdateCase>('updates.json');

describe('what an UPDATE changes', () => {
  it.each(cases.filter((entry) => entry.error === undefined))('$name', (entry) => {
    const change = run(entry);
    expect(rightNames(change.needs)).toEqual(entry.expected?.needs);
    expect(change.after).toEqual(entry.expected?.after);
    expect(plainChanges(change.subscriptions)).toEqual(entry.expected?.subscriptions);
    expect(isChange(change)).toBe(entry.expected?.needs.length !== 0);
    expect([...change.fields].sort()).toEqual(differing(entry.before, change.after));
  });

  it.each(cases.filter((entry) => entry.error !== undefined))('$name', (entry) => {
    expect(() => run(entry)).toThrow(
      expect.objectContaining({
        status: entry.error?.status,
        message: expect.stringContaining(entry.error?.names ?? ''),
      }),
    );
  });

  it('F28 fields that stay equal keep the text they had', () => {
    const before = { data: '{ "a" : 1.10 }', type: '"t"' };
    expect(changeOf(before, parseObjectBody('{"data":{"a":1.10}}', 'update'), { path: '', rows: [] }).after).toEqual(
      before,
    );
  });
});

describe('what a CREATE makes', () => {
  const path = '/social/me';

  it("F27 takes data with its nulls and bytes, and everybody's subscriptions", () => {
    const body = parseObjectBody(
      '{"data":{ "a":null },"type":"t","acl":{"others":["read-data"]},"attachment":{"name":"a"},"subscriptions":{"Bob@x.lit":{"events":["created"]}}}',
      'create',
    );
    expect(contentsOf(body, path)).toEqual({
      fields: { data: '{ "a":null }', type: '"t"', acl: '{"other":["read-data"]}' },
      subscriptions: [{ user: 'bob@x.lit', subscription: { events: 1, depth: 0 } }],
    });
    expect(contentsOf(parseObjectBody('', 'create'), path)).toEqual({ fields: {}, subscriptions: [] });
  });

  it('F42 holds the groups of a tree to their form', () => {
    const groups = parseObjectBody('{"data":{"court":["QUEEN@wonderland.lit"],"none":null}}', 'create');
    expect(contentsOf(groups, '/config/groups').fields.data).toBe('{"court":["queen@wonderland.lit"]}');
    expect(contentsOf(groups, path).fields.data).toBe('{"court":["QUEEN@wonderland.lit"],"none":null}');
    expect(() => contentsOf(parseObjectBody('{"data":5}', 'create'), '/config/groups')).toThrow(
      'data: must be an object',
    );
  });

  it('F42 F49 needs write-acl too where groups come or go', () => {
    expect(rightNames(neededOnParent('create', path))).toEqual(['write-children']);
    expect(rightNames(neededOnParent('create', '/config'))).toEqual(['write-children']);
    expect(rightNames(neededOnParent('create', '/config/groups'))).toEqual(['write-acl', 'write-children']);
    expect(rightNames(neededOnParent('create', '/config/groups/a'))).toEqual(['write-children']);
    expect(rightNames(neededOnParent('delete', path))).toEqual(['delete-children']);
    expect(rightNames(neededOnParent('delete', '/config'))).toEqual(['write-acl', 'delete-children']);
    expect(rightNames(neededOnParent('delete', '/config/groups'))).toEqual(['write-acl', 'delete-children']);
    expect(rightNames(neededOnParent('delete', '/config/groups/a'))).toEqual(['delete-children']);
  });
});

function differing(before: ObjectFields, after: ObjectFields): string[] {
  const names = ['acl', 'attachment', 'data', 'type'] as const;
  return names.filter((name) => before[name] !== after[name]);
}
