/** The oracle's access control: the five steps of SPEC §6.1, one right at a time. */
import { type NaiveAcl, type NaiveSet, type NaiveTree, parentOf, type Spelling } from './naive-tree.ts';

export const RIGHT_NAMES = [
  'read-data',
  'write-data',
  'read-acl',
  'write-acl',
  'read-subscriptions',
  'write-subscriptions',
  'read-attachment',
  'write-attachment',
  'read-children',
  'write-children',
  'delete-children',
] as const;
export type RightName = (typeof RIGHT_NAMES)[number];

const NOT = {
  'read-data': 'not-read-data',
  'write-data': 'not-write-data',
  'read-acl': 'not-read-acl',
  'write-acl': 'not-write-acl',
  'read-subscriptions': 'not-read-subscriptions',
  'write-subscriptions': 'not-write-subscriptions',
  'read-attachment': 'not-read-attachment',
  'write-attachment': 'not-write-attachment',
  'read-children': 'not-read-children',
  'write-children': 'not-write-children',
  'delete-children': 'not-delete-children',
} as const satisfies Record<RightName, string>;

/** What was decided, and all about how, so that a campaign can show what it met. */
export interface Decision {
  readonly allowed: boolean;
  readonly by: 'users' | 'owner' | 'groups' | 'other' | 'nothing';
  /** How far above the accessed object. */
  readonly up: number;
  readonly fellBack: boolean;
  readonly spelling: Spelling | undefined;
  /** The deciding list, or the user's groups, said both. */
  readonly bothSaid: boolean;
  /** A less specific entry of the same level said the opposite. */
  readonly overruled: boolean;
}

export function decide(tree: NaiveTree, user: string, right: RightName, path: string): Decision {
  const decision = walk(tree, user, right, path);
  // "read-/write-attachment not set on any level for this user fall back to read-/write-data"
  if (decision.by === 'nothing' && right === 'read-attachment') {
    return { ...walk(tree, user, 'read-data', path), fellBack: true };
  }
  if (decision.by === 'nothing' && right === 'write-attachment') {
    return { ...walk(tree, user, 'write-data', path), fellBack: true };
  }
  return decision;
}

function walk(tree: NaiveTree, user: string, right: RightName, path: string): Decision {
  const owner = tree.objects.get(path)?.owner ?? '';
  let current = path;
  let up = 0;
  for (;;) {
    // "1. Check if the right in question is set on the current object"
    const object = tree.objects.get(current);
    const setting = object?.body.acl === undefined ? undefined : settingOn(object.rights, { tree, user, owner }, right);
    if (setting !== undefined) {
      // "2. If it is set positive grant access; 3. if it is set negative deny access"
      return { ...setting, allowed: setting.sign === '+', up, fellBack: false };
    }
    // "5. If the current object is already the root object, deny access"
    if (current === '') {
      return {
        allowed: false,
        by: 'nothing',
        up,
        fellBack: false,
        spelling: undefined,
        bothSaid: false,
        overruled: false,
      };
    }
    // "4. If it is not set, go to the parent object and repeat from step 1."
    current = parentOf(current);
    up++;
  }
}

interface Who {
  readonly tree: NaiveTree;
  readonly user: string;
  readonly owner: string;
}

type Sign = '+' | '-' | undefined;

/** "Within a level the most specific entry decides" */
function settingOn(acl: NaiveAcl, who: Who, right: RightName) {
  const entries = entriesFor(acl, who);
  let less = 0;
  for (const { by, sets } of entries) {
    less++;
    const sign = signOf(sets, right);
    if (sign !== undefined) {
      const opposite = sign === '+' ? '-' : '+';
      return {
        by,
        sign,
        spelling: spellingOf(sets, sign === '+' ? right : NOT[right]),
        bothSaid: sign === '-' && sets.some((set) => set.has(right)),
        overruled: entries.slice(less).some((entry) => signOf(entry.sets, right) === opposite),
      };
    }
  }
  return undefined;
}

interface Entry {
  readonly by: 'users' | 'owner' | 'groups' | 'other';
  readonly sets: readonly NaiveSet[];
}

/** What an ACL has for somebody, from the most specific entry to the least. */
function entriesFor(acl: NaiveAcl, { tree, user, owner }: Who): Entry[] {
  const entries: Entry[] = [];
  const own = acl.users.get(user);
  if (own !== undefined) {
    entries.push({ by: 'users', sets: [own] });
  }
  if (user === owner) {
    entries.push({ by: 'owner', sets: [acl.owner] });
  }
  if (acl.groups.size > 0) {
    const groups = tree.groupsOf.get(user) ?? [];
    entries.push({ by: 'groups', sets: groups.flatMap((group) => acl.groups.get(group) ?? []) });
  }
  entries.push({ by: 'other', sets: [acl.other] });
  return entries;
}

/** "Within one list `not-` wins over the same right"; "a `not-` in any of them wins" */
function signOf(sets: readonly NaiveSet[], right: RightName): Sign {
  let sign: Sign;
  for (const set of sets) {
    if (set.has(NOT[right])) {
      return '-';
    }
    sign = set.has(right) ? '+' : sign;
  }
  return sign;
}

function spellingOf(sets: readonly NaiveSet[], name: string): Spelling | undefined {
  return sets.map((set) => set.get(name)).find((spelling) => spelling !== undefined);
}
