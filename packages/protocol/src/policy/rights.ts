/**
 * THE place where rights are decided (SPEC §6.1, PROTOCOL §5): every right at once, in one walk from the object to its
 * root. The first level that sets a right for this user decides it; within a level the most specific entry does: the
 * user's own, then the owner's, then the user's groups together, then everyone else's. What no level sets is denied.
 */
import type { CompiledAcl } from './compiled-acl.ts';
import type { Groups } from './groups.ts';
import { ALL_RIGHTS, type Entry, RIGHTS, type RightsMask, setBy, settled } from './right-names.ts';

/** Attachment rights lie this many bits above the data rights that stand in for them. */
const FALL_BACK_SHIFT = 6;
const ATTACHMENT_RIGHTS = RIGHTS.readAttachment | RIGHTS.writeAttachment;

/**
 * The rights of `user` on an object of `owner`. `levels` are the ACLs from the object's own up to the root's, undefined
 * where a level has none; `groups` those of the tree. Names are normalised.
 */
export function rightsOf(
  user: string,
  owner: string,
  levels: readonly (CompiledAcl | undefined)[],
  groups: Groups,
): RightsMask {
  let decided: Entry = 0;
  for (const level of levels) {
    if (level === undefined) {
      continue;
    }
    if (level.users !== undefined) {
      decided = completed(decided, level.users.get(user) ?? 0);
    }
    if (user === owner) {
      decided = completed(decided, level.owner);
    }
    if (level.groups !== undefined) {
      decided = completed(decided, groupsEntry(level.groups, groups.groupsOf(user)));
    }
    decided = completed(decided, level.other);
    if (setBy(decided) === ALL_RIGHTS) {
      break;
    }
  }
  return (decided | ((decided << FALL_BACK_SHIFT) & ATTACHMENT_RIGHTS & ~setBy(decided))) & ALL_RIGHTS;
}

/** `decided`, and what the next entry sets beyond it. A `not-` that comes too late is kept, and takes nothing away. */
function completed(decided: Entry, next: Entry): Entry {
  return decided | (next & ~setBy(decided));
}

/** What a user's groups set together: a `not-` in any of them wins. */
function groupsEntry(entries: ReadonlyMap<string, Entry>, names: readonly string[]): Entry {
  let together: Entry = 0;
  for (const name of names) {
    together |= entries.get(name) ?? 0;
  }
  return settled(together);
}
