/** An object's ACL in the form that `rightsOf` reads: names to bit masks, a few words per entry, cheap to keep in a cache. */
import { detached, elements, members, stringOf } from '../json.ts';
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
  const acl = membersOf(aclText);
  return {
    owner: settled(listOf(acl.get('owner'))),
    users: entriesOf(acl.get('users')),
    groups: entriesOf(acl.get('groups')),
    other: settled(listOf(acl.get('other')) | listOf(acl.get('others'))),
  };
}

function entriesOf(lists: string | undefined): ReadonlyMap<string, Entry> | undefined {
  const entries = new Map<string, Entry>();
  for (const [name, list] of membersOf(lists)) {
    entries.set(detached(name), settled(listOf(list)));
  }
  return entries.size === 0 ? undefined : entries;
}

/** The union of what a list, or the object form of one, sets. */
function listOf(list: string | undefined): Entry {
  let entry = 0;
  for (const right of (list === undefined ? undefined : elements(list)) ?? []) {
    entry |= entryOfRight(stringOf(right) ?? '') ?? 0;
  }
  for (const [noun, verbs] of membersOf(list)) {
    for (const verb of elements(verbs) ?? []) {
      entry |= entryOfRight(rightOfObjectForm(noun, stringOf(verb) ?? '') ?? '') ?? 0;
    }
  }
  return entry;
}

function membersOf(raw: string | undefined): ReadonlyMap<string, string> {
  return (raw === undefined ? undefined : members(raw)) ?? NO_MEMBERS;
}

const NO_MEMBERS: ReadonlyMap<string, string> = new Map();
