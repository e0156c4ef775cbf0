/** Groups of a tree (SPEC §5.5, PROTOCOL §5): the data of `config/groups`, valid for that tree alone. */
import { elementsAt, memberField, membersAt, stringAt, userAt } from '../field.ts';
import { detached, elements, members, objectText, stringOf } from '../json.ts';

/** Who is in which group. */
export interface Groups {
  /** Names of the groups that a user (normalised) is in, each once. */
  groupsOf(user: string): readonly string[];
}

const NONE: readonly string[] = [];

export const NO_GROUPS: Groups = { groupsOf: () => NONE };

/**
 * Reads the data of `config/groups` as it is stored (see `normaliseGroupsPatch`). What is no list of strings says nothing.
 */
export function parseGroups(dataText: string | undefined): Groups {
  const data = dataText === undefined ? undefined : members(dataText);
  if (data === undefined) {
    return NO_GROUPS;
  }
  const groupsByUser = new Map<string, Set<string>>();
  for (const [givenKey, list] of data) {
    const key = detached(givenKey);
    for (const element of elements(list) ?? []) {
      const name = stringOf(element);
      if (name !== undefined) {
        const [user, group] = isUser(key) ? [key, detached(name)] : [detached(name), key];
        groupsByUser.set(user, (groupsByUser.get(user) ?? new Set()).add(group));
      }
    }
  }
  const lists = new Map(Array.from(groupsByUser, ([user, groups]) => [user, [...groups]]));
  return { groupsOf: (user) => lists.get(user) ?? NONE };
}

/**
 * A merge patch for the data of `config/groups`, with names in their stored form, so that `Bob@X` changes `bob@x`. Merged
 * into nothing, it is the data as it is stored.
 * @throws malformed, naming the entry
 */
export function normaliseGroupsPatch(patchText: string): string {
  const lists = new Map<string, Set<string> | null>();
  for (const [key, raw] of membersAt(patchText, 'data')) {
    const field = memberField('data', key);
    const name = isUser(key) ? userAt(key, field) : key;
    const names = lists.get(name) ?? null;
    lists.set(name, raw === 'null' ? names : addNames(names ?? new Set(), raw, { field, areUsers: !isUser(key) }));
  }
  return objectText(Array.from(lists, ([name, names]) => [name, names === null ? 'null' : JSON.stringify([...names])]));
}

function addNames(
  names: Set<string>,
  raw: string,
  list: { readonly field: string; readonly areUsers: boolean },
): Set<string> {
  for (const [index, element] of elementsAt(raw, list.field).entries()) {
    const field = `${list.field}[${index}]`;
    const name = stringAt(element, field);
    names.add(list.areUsers ? userAt(name, field) : name);
  }
  return names;
}

/** Group names have no `@`: a key that has one is a user's, and lists their groups. */
function isUser(key: string): boolean {
  return key.includes('@');
}
