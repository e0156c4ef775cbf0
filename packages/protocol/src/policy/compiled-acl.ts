/** An object's ACL in the form that `rightsOf` reads: names to bit masks, a few words per entry, cheap to keep in a cache. */
import { type Entry, entryOfRight, rightOfObjectForm, settled } from './right-names.ts';

/** Opaque but to `rightsOf`; in every entry a `not-` has already won over the same right granted. */
export interface CompiledAcl {
  readonly owner: Entry;
  readonly users: ReadonlyMap<string, Entry> | undefined;
  readonly groups: ReadonlyMap<string, Entry> | undefined;
  readonly other: Entry;
}

/**
 * Compiles an ACL as it is stored (see `normaliseAcl`), in any accepted spelling. What it does not know, it leaves out:
 * a newer version may have stored rights that this one cannot judge.
 */
export function compileAcl(aclText: string | undefined): CompiledAcl | undefined {
  if (aclText === undefined) {
    return undefined;
  }
  // Not `members`: its slices would keep the whole text alive behind every name. An ACL holds no numbers to preserve.
  const acl = membersOf(JSON.parse(aclText));
  return {
    owner: settled(listOf(acl.get('owner'))),
    users: entriesOf(acl.get('users')),
    groups: entriesOf(acl.get('groups')),
    other: settled(listOf(acl.get('other')) | listOf(acl.get('others'))),
  };
}

function entriesOf(lists: unknown): ReadonlyMap<string, Entry> | undefined {
  const entries = new Map<string, Entry>();
  for (const [name, list] of membersOf(lists)) {
    entries.set(name, settled(listOf(list)));
  }
  return entries.size === 0 ? undefined : entries;
}

/** The union of what a list, or the object form of one, sets. */
function listOf(list: unknown): Entry {
  let entry = 0;
  if (Array.isArray(list)) {
    for (const right of list) {
      entry |= (typeof right === 'string' ? entryOfRight(right) : undefined) ?? 0;
    }
    return entry;
  }
  for (const [noun, verbs] of membersOf(list)) {
    for (const verb of Array.isArray(verbs) ? verbs : []) {
      const right = typeof verb === 'string' ? rightOfObjectForm(noun, verb) : undefined;
      entry |= (right === undefined ? undefined : entryOfRight(right)) ?? 0;
    }
  }
  return entry;
}

function membersOf(value: unknown): Map<string, unknown> {
  return new Map(typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []);
}
