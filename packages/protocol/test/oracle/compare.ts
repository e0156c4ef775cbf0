/** Stores a tree as the server would, and compares all it decides with what the oracle decides. */
import {
  attachmentText,
  type CompiledAcl,
  compileAcl,
  contentsOf,
  type EventType,
  type Groups,
  normaliseAcl,
  type ObjectFragments,
  parseGroups,
  parseObjectBody,
  pathsToRoot,
  READ_RIGHTS,
  rightNames,
  rightsOf,
  type SubscriptionRow,
  shownSubscriptions,
  subscribersOf,
  viewOf,
} from '../../src/index.ts';
import { type Decision, decide, RIGHT_NAMES, type RightName } from './naive-rights.ts';
import {
  type NaiveAcl,
  type NaiveObject,
  type NaiveSet,
  type NaiveTree,
  type PlainAcl,
  type PlainObject,
  type PlainTree,
  readAcl,
  readTree,
  readUser,
} from './naive-tree.ts';
import { BTIME, MTIME, notifiedOf, viewFor } from './naive-view.ts';
import { USERS } from './random-tree.ts';
import { countDecision, countNotified, countView, type Statistics } from './statistics.ts';

interface StoredObject {
  readonly fragments: ObjectFragments;
  readonly acl: CompiledAcl | undefined;
  readonly rows: readonly SubscriptionRow[];
}

interface StoredTree {
  readonly objects: ReadonlyMap<string, StoredObject>;
  readonly rows: readonly SubscriptionRow[];
  readonly groups: Groups;
}

/** A user's view of an object, as both sides have it. */
type Views = Map<string, string | undefined>;

/** @throws an error that says which decision differs */
export function compareTree(plain: PlainTree, statistics: Statistics): void {
  const naive = readTree(plain);
  const stored = storeTree(plain);
  const views: Views = new Map();
  for (const [path, object] of naive.objects) {
    compareAcl(object, stored.objects.get(path));
    for (const user of USERS) {
      const decisions = new Map(RIGHT_NAMES.map((right) => [right, decide(naive, user, right, path)]));
      compareRights(decisions, stored, { user, path }, statistics);
      const view = viewFor(object, (right) => decisions.get(right)?.allowed === true);
      countView(statistics, view, object);
      views.set(`${user} ${path}`, compareViews(view, stored, { user, path }));
    }
  }
  for (const path of naive.objects.keys()) {
    for (const event of ['CREATED', 'UPDATED', 'DELETED'] as const) {
      compareNotified({ naive, stored, views }, event, path, statistics);
    }
  }
}

function storeTree(plain: PlainTree): StoredTree {
  const objects = new Map(plain.objects.map((object) => [object.path, storeObject(object)]));
  return {
    objects,
    rows: [...objects.values()].flatMap(({ rows }) => rows),
    groups: parseGroups(objects.get('/config/groups')?.fragments.data),
  };
}

function storeObject({ path, owner, body, file }: PlainObject): StoredObject {
  const { fields, subscriptions } = contentsOf(parseObjectBody(JSON.stringify(body), 'create', { path }));
  const attachment = file === undefined ? {} : { attachment: attachmentText(file) };
  return {
    fragments: { owner, btime: BTIME, mtime: MTIME, ...fields, ...attachment },
    acl: compileAcl(fields.acl),
    rows: subscriptions.flatMap(({ user, subscription }) =>
      subscription === null ? [] : [{ ...subscription, user, path }],
    ),
  };
}

/** The ACL is shown as it was given, but for the names in it. */
function compareAcl(naive: NaiveObject, stored: StoredObject | undefined): void {
  const acl: PlainAcl = JSON.parse(stored?.fragments.acl ?? '{}');
  const given = JSON.stringify(rightsByName(naive.rights));
  const shown = JSON.stringify(rightsByName(readAcl(acl)));
  const names = Object.keys(acl.users ?? {});
  if (stored?.fragments.acl !== undefined && normaliseAcl(stored.fragments.acl) !== stored.fragments.acl) {
    throw new Error(`the stored acl ${stored.fragments.acl} is not in its stored form`);
  }
  if (given !== shown || acl.others !== undefined || names.some((name) => name !== readUser(name))) {
    throw new Error(`an acl that says ${given} is stored as ${stored?.fragments.acl}`);
  }
}

function rightsByName(acl: NaiveAcl): string[] {
  const sets: [string, NaiveSet][] = [
    ['owner', acl.owner],
    ['other', acl.other],
    ...Array.from(acl.users, ([name, set]): [string, NaiveSet] => [`user ${name}`, set]),
    ...Array.from(acl.groups, ([name, set]): [string, NaiveSet] => [`group ${name}`, set]),
  ];
  return sets.map(([name, set]) => `${name}: ${[...set.keys()].sort()}`).sort();
}

interface Access {
  readonly user: string;
  readonly path: string;
}

function rightsIn(stored: StoredTree, { user, path }: Access): number {
  const levels = pathsToRoot(path).map((ancestor) => stored.objects.get(ancestor)?.acl);
  return rightsOf(user, stored.objects.get(path)?.fragments.owner ?? '', levels, stored.groups);
}

function compareRights(
  decisions: ReadonlyMap<RightName, Decision>,
  stored: StoredTree,
  access: Access,
  statistics: Statistics,
): void {
  let expected = 0;
  let bit = 1;
  for (const [right, decision] of decisions) {
    countDecision(statistics, right, decision);
    expected |= decision.allowed ? bit : 0;
    bit <<= 1;
  }
  const granted = rightsIn(stored, access);
  if (granted !== expected) {
    throw new Error(
      `${access.user} at "${access.path}" should have ${rightNames(expected)}, has ${rightNames(granted)}`,
    );
  }
}

/** The view as both have it, once they agree. */
function compareViews(
  expected: Record<string, unknown> | undefined,
  stored: StoredTree,
  access: Access,
): string | undefined {
  const object = stored.objects.get(access.path);
  const rights = rightsIn(stored, access);
  const shown =
    object === undefined || (rights & READ_RIGHTS) === 0
      ? undefined
      : viewOf(object.fragments, rights, shownSubscriptions(object.rows, access.user));
  if (expected?.['acl'] !== undefined) {
    expected['acl'] = JSON.parse(object?.fragments.acl ?? '');
  }
  if (!sameMembers(expected, shown === undefined ? undefined : JSON.parse(shown))) {
    throw new Error(`${access.user} at "${access.path}" should see ${JSON.stringify(expected)}, sees ${shown}`);
  }
  return shown;
}

function sameMembers(a: Record<string, unknown> | undefined, b: Record<string, unknown> | undefined): boolean {
  if (a === undefined || b === undefined) {
    return a === b;
  }
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => sorted(a[name]) === sorted(b[name]));
}

/** Text of a value, the first level of members in one order. */
function sorted(value: unknown): string {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : JSON.stringify(value);
}

interface Sides {
  readonly naive: NaiveTree;
  readonly stored: StoredTree;
  readonly views: Views;
}

function compareNotified(
  { naive, stored, views }: Sides,
  event: EventType,
  path: string,
  statistics: Statistics,
): void {
  const { users, met } = notifiedOf(naive, event, path);
  const expected = new Map<string, string>();
  for (const user of users) {
    const view = views.get(`${user} ${path}`);
    if (view !== undefined) {
      expected.set(user, event === 'DELETED' ? '' : view);
    }
  }
  countNotified(statistics, { users, met, told: expected.size });
  const told = new Map<string, string>();
  for (const user of subscribersOf(event, path, stored.rows)) {
    const object = stored.objects.get(path);
    const rights = rightsIn(stored, { user, path });
    if (object !== undefined && (rights & READ_RIGHTS) !== 0) {
      told.set(
        user,
        event === 'DELETED' ? '' : viewOf(object.fragments, rights, shownSubscriptions(object.rows, user)),
      );
    }
  }
  const differ = told.size !== expected.size || [...expected].some(([user, view]) => told.get(user) !== view);
  if (differ) {
    throw new Error(`${event} at "${path}" should tell ${[...expected.keys()]}, tells ${[...told.keys()]}`);
  }
}
