/**
 * The oracle: the draft's §5.4, §6.1, §6.2 and PROTOCOL §5, §6 once more, as literally, slowly and plainly as can be. It
 * imports nothing of what it judges. This file reads plain JSON into plain trees; nothing is decided here.
 */

/** A set of rights as clients write it. */
export type PlainRights = readonly string[] | Readonly<Record<string, readonly string[]>>;

export interface PlainAcl {
  owner?: PlainRights;
  users?: Record<string, PlainRights>;
  groups?: Record<string, PlainRights>;
  other?: PlainRights;
  others?: PlainRights;
}

export interface PlainSubscription {
  events?: string[];
  depth?: number;
}

/** An object as its creator sent it, and what the server knows of it. */
export interface PlainObject {
  readonly path: string;
  readonly owner: string;
  readonly body: {
    readonly type?: string;
    readonly data?: unknown;
    readonly acl?: PlainAcl;
    readonly subscriptions?: Record<string, unknown>;
  };
  readonly file?: { readonly name: string; readonly size: number; readonly mimeType: string };
}

/** The root comes first, and every parent before its children. */
export interface PlainTree {
  readonly user: string;
  readonly objects: readonly PlainObject[];
}

/** How a right was spelled. */
export type Spelling = 'read-data' | 'data-read' | '{"data":["read"]}';

/** Canonical names, with `not-` where it stands before them, and how each was spelled. */
export type NaiveSet = Map<string, Spelling>;

export interface NaiveAcl {
  readonly owner: NaiveSet;
  readonly users: Map<string, NaiveSet>;
  readonly groups: Map<string, NaiveSet>;
  readonly other: NaiveSet;
}

export interface NaiveObject extends PlainObject {
  readonly rights: NaiveAcl;
  /** By user; events as the draft writes them, in capitals. */
  readonly subscribers: Map<string, { events: string[]; depth: number }>;
}

export interface NaiveTree {
  readonly user: string;
  readonly objects: Map<string, NaiveObject>;
  /** Names of the groups that a user is in. */
  readonly groupsOf: Map<string, string[]>;
}

export function readTree(tree: PlainTree): NaiveTree {
  const objects = new Map<string, NaiveObject>();
  for (const object of tree.objects) {
    const { data } = object.body;
    objects.set(object.path, {
      ...object,
      body: { ...object.body, data: object.path === '/config/groups' ? readGroups(data) : data },
      rights: readAcl(object.body.acl ?? {}),
      subscribers: readSubscriptions(object.body.subscriptions ?? {}),
    });
  }
  return { user: tree.user, objects, groupsOf: readMembers(objects.get('/config/groups')?.body.data) };
}

/** Here, names of users differ in capitals only. */
export function readUser(name: string): string {
  return name.toLowerCase();
}

export function readAcl(acl: PlainAcl): NaiveAcl {
  const rights: NaiveAcl = { owner: new Map(), users: new Map(), groups: new Map(), other: new Map() };
  readRights(acl.owner ?? [], rights.owner);
  // "also `others`; given both, they are one set"
  readRights(acl.other ?? [], rights.other);
  readRights(acl.others ?? [], rights.other);
  for (const [name, list] of Object.entries(acl.users ?? {})) {
    readRights(list, entry(rights.users, readUser(name)));
  }
  for (const [name, list] of Object.entries(acl.groups ?? {})) {
    readRights(list, entry(rights.groups, name));
  }
  return rights;
}

function entry(sets: Map<string, NaiveSet>, name: string): NaiveSet {
  const set: NaiveSet = sets.get(name) ?? new Map();
  sets.set(name, set);
  return set;
}

function readRights(given: PlainRights, set: NaiveSet): void {
  if (isList(given)) {
    for (const right of given) {
      const not = right.startsWith('not-') ? 'not-' : '';
      const [first = '', second = ''] = right.slice(not.length).split('-');
      if (['read', 'write', 'delete'].includes(first)) {
        set.set(`${not}${first}-${second}`, 'read-data');
      } else {
        set.set(`${not}${second}-${first}`, 'data-read');
      }
    }
    return;
  }
  for (const [noun, verbs] of Object.entries(given)) {
    for (const verb of verbs) {
      set.set(`${verb}-${noun}`, '{"data":["read"]}');
    }
  }
}

function isList(given: PlainRights): given is readonly string[] {
  return Array.isArray(given);
}

/** Keys with `@`, and the names in the lists of the other keys, are users. */
function readGroups(data: unknown): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const [key, list] of Object.entries(plainObject(data))) {
    const names: string[] = list;
    groups[readUser(key)] = key.includes('@') ? names : names.map(readUser);
  }
  return groups;
}

/** "`data` = `{group: [user, …]}`; a key with `@` is a user and maps to its groups instead" */
function readMembers(data: unknown): Map<string, string[]> {
  const groupsOf = new Map<string, string[]>();
  for (const [key, list] of Object.entries(plainObject(data))) {
    const names: string[] = list;
    for (const name of names) {
      const [user, group] = key.includes('@') ? [key, name] : [name, key];
      groupsOf.set(user, [...(groupsOf.get(user) ?? []), group]);
    }
  }
  return groupsOf;
}

function readSubscriptions(given: Record<string, unknown>): NaiveObject['subscribers'] {
  const subscribers: NaiveObject['subscribers'] = new Map();
  for (const [name, value] of Object.entries(given)) {
    const entries = name === 'users' ? Object.entries(plainObject(value)) : [[name, value] as const];
    for (const [user, subscription] of entries) {
      const { events, depth }: PlainSubscription = plainObject(subscription);
      const before = subscribers.get(readUser(user)) ?? { events: [], depth: 0 };
      subscribers.set(readUser(user), {
        events: events?.map((event) => event.toUpperCase()) ?? before.events,
        depth: depth ?? before.depth,
      });
    }
  }
  return subscribers;
}

function plainObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

/** The path of the parent; the root is ''. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
