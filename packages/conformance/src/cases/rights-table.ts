/**
 * PROTOCOL §5 as a table. Each row: the rule, where what is set, who does what, what must come of it.
 *
 * The stage: a tree of Alice, in it `folder`, in it `object`, in it `child`. `me` is Bob, who is a member of the groups
 * `friends`, `rivals` and, by the other direction of the mapping, `insiders`; `others-only` has other members. The object is
 * Alice's unless `object by me` says otherwise; then the owner's entries of root, folder and object are mine too.
 *
 * Settings: `<root|folder|object> <principal> <rights>`, rights separated by commas or in the object form. Alice always
 * keeps what her root gives her (all rights, as `owner` and in `users`) unless a row takes it away.
 */
export type Expected = 'shown' | 'hidden' | number;

export interface Row {
  readonly rule: string;
  readonly settings: readonly string[];
  /** `me` or `alice`, then one of the deeds of `rights.ts`. */
  readonly deed: string;
  readonly expected: Expected;
}

/** Each right: the deed that needs it, in both spellings and the object form, granted and taken away. */
const EACH: readonly (readonly [right: string, other: string, form: string, deed: string, granted: Expected])[] = [
  ['read-data', 'data-read', '{"data":["read"]}', 'sees data', 'shown'],
  ['write-data', 'data-write', '{"data":["write"]}', 'updates data', 204],
  ['read-acl', 'acl-read', '{"acl":["read"]}', 'sees acl', 'shown'],
  ['write-acl', 'acl-write', '{"acl":["write"]}', 'updates acl', 204],
  ['read-subscriptions', 'subscriptions-read', '{"subscriptions":["read"]}', 'sees subscriptions', 'shown'],
  ['write-subscriptions', 'subscriptions-write', '{"subscriptions":["write"]}', 'subscribes', 204],
  ['read-attachment', 'attachment-read', '{"attachment":["read"]}', 'reads', 200],
  ['write-attachment', 'attachment-write', '{"attachment":["write"]}', 'writes', 204],
  ['read-children', 'children-read', '{"children":["read"]}', 'lists', 200],
  ['write-children', 'children-write', '{"children":["write"]}', 'creates', 201],
  ['delete-children', 'children-delete', '{"children":["delete"]}', 'deletes', 204],
];

const SPELLINGS = EACH.flatMap(([right, other, form, deed, granted]) =>
  table(`
    ${right} grants | object users.me ${right} | me ${deed} | ${granted}
    ${other} is the same right | object users.me ${other} | me ${deed} | ${granted}
    ${form} is the same right | object users.me ${form} | me ${deed} | ${granted}
    without ${right}: denied | | me ${deed} | 403
    not-${other} wins over ${right} in one list | object users.me ${right},not-${other} | me ${deed} | 403
    not-${right} on the object takes away what the folder gives | folder users.me ${right}; object users.me not-${right} | me ${deed} | 403
    no other right stands in for ${right} | object users.me ${allBut(right)} | me ${deed} | ${insteadOf(right)}
  `),
);

const PRINCIPALS = table(`
  other counts for me | object other read-data | me sees data | shown
  others is other | object others read-data | me sees data | shown
  other and others are one set | object other read-data; object others write-data | me updates data | 204
  other and others are one set, both ways | object other read-data; object others write-data | me sees data | shown
  not- in others wins over other | object other read-data; object others not-read-data | me sees data | 403
  a group counts for its members | object groups.friends read-data | me sees data | shown
  a group counts for members named by user | object groups.insiders read-data | me sees data | shown
  a group does not count for others | object groups.others-only read-data | me sees data | 403
  a group that nobody has defined counts for nobody | object groups.nowhere read-data | me sees data | 403
  a group named like a property of every object counts for nobody | object groups.constructor read-data | me sees data | 403
  owner does not count for who owns nothing | object owner read-data | me sees data | 403
  owner counts for the owner of the object | root owner read-acl; object by me; object owner read-data | me sees data | shown
  owner means the owner of the accessed object, not of the folder | root owner read-acl; object by me; folder owner read-data | me sees data | shown
  owner at the folder does not count for who does not own the object | folder owner read-data | me sees data | 403
  the owner of the tree is not owner of another’s object | object by me; object owner not-read-data | alice sees data | shown
  users: an entry of another is not mine | object users.alice read-data | me sees data | 403
  users: an entry in other spelling is mine | object users.ME read-data | me sees data | shown
  users: an empty list sets nothing | folder users.me read-data; object users.me | me sees data | shown
  other counts for Alice in her own tree | object other not-read-data | alice sees data | hidden
`);

const PRECEDENCE = table(`
  users before owner: grant | object by me; object users.me read-data; object owner not-read-data | me sees data | shown
  users before owner: denial | object by me; object users.me not-read-data; object owner read-data | me sees data | hidden
  users before groups: grant | object users.me read-data; object groups.friends not-read-data | me sees data | shown
  users before groups: denial | object users.me not-read-data; object groups.friends read-data | me sees data | 403
  users before other: grant | object users.me read-data; object other not-read-data | me sees data | shown
  users before other: denial | object users.me not-read-data; object other read-data | me sees data | 403
  owner before groups: grant | object by me; object owner read-data; object groups.friends not-read-data | me sees data | shown
  owner before groups: denial | object by me; object owner not-write-data; object groups.friends write-data | me updates data | 403
  owner before other: grant | object by me; object owner write-data; object other not-write-data | me updates data | 204
  owner before other: denial | object by me; object owner not-write-data; object other write-data | me updates data | 403
  groups before other: grant | object groups.friends read-data; object other not-read-data | me sees data | shown
  groups before other: denial | object groups.friends not-read-data; object other read-data | me sees data | 403
  not- in any of my groups wins over another group | object groups.friends read-data; object groups.rivals not-read-data | me sees data | 403
  whichever group comes first | object groups.rivals read-data; object groups.friends not-read-data | me sees data | 403
  not- in a group that is not mine does not count | object groups.friends read-data; object groups.others-only not-read-data | me sees data | shown
  not- in a group by the other direction counts | object groups.friends read-data; object groups.insiders not-read-data | me sees data | 403
  the most specific entry is found for each right on its own | object users.me read-acl; object other read-data | me sees data | shown
  rights of several entries of one level add up | object users.me read-acl; object groups.friends write-data | me updates data | 204
  a denial of one right does not touch another | object users.me not-write-data,read-data | me sees data | shown
  users before all others together | object users.me read-data; object groups.friends not-read-data; object groups.rivals not-read-data; object other not-read-data | me sees data | shown
`);

const LEVELS = table(`
  the folder counts where the object sets nothing | folder users.me read-data | me sees data | shown
  the root counts where nothing below sets anything | root users.me read-data | me sees data | shown
  the root counts by other | root other read-data | me sees data | shown
  the root counts by group | root groups.friends read-data | me sees data | shown
  the object decides before the folder: grant | folder users.me not-read-data; object users.me read-data | me sees data | shown
  the folder decides before the root: denial | root users.me read-data; folder users.me not-read-data | me sees data | 403
  the folder decides before the root: grant | root users.me not-read-data; folder users.me read-data | me sees data | shown
  the object decides before the root | root users.me not-read-data; folder users.me not-read-data; object users.me read-data | me sees data | shown
  a nearer level decides, however unspecific: denial by other | folder users.me read-data; object other not-read-data | me sees data | 403
  a nearer level decides, however unspecific: grant by other | folder users.me not-read-data; object other read-data | me sees data | shown
  a nearer group decides before a farther user entry | folder users.me read-data; object groups.friends not-read-data | me sees data | 403
  a nearer level that sets another right does not decide | folder users.me read-data; object users.me not-write-data,read-acl | me sees data | shown
  rights of several levels add up | root users.me read-data; folder users.me read-acl; object users.me write-data | me updates data | 204
  rights of several levels add up, the farthest too | root users.me read-data; folder users.me read-acl; object users.me write-data | me sees data | shown
  what the child allows does not count for the object | child users.me read-data | me sees data | 403
  Alice’s own entry at the object decides before her root | object users.alice not-read-data | alice sees data | hidden
  the owner’s entry at the object decides before the root’s user entry | object owner not-write-data | alice updates data | 403
  Alice’s root gives her every right: data |  | alice updates data | 204
  Alice’s root gives her every right: acl |  | alice updates acl | 204
  Alice’s root gives her every right: attachment |  | alice writes | 204
  Alice’s root gives her every right: children |  | alice deletes | 204
  Alice’s root gives her every right on what others own | object by me | alice updates data | 204
  the root’s owner entry counts for who owns an object in the tree | object by me | me updates data | 204
  the root’s owner entry counts for acl too | object by me | me updates acl | 204
  the folder can take away what the root’s owner entry gives | object by me; folder owner not-write-data | me updates data | 403
  the root’s owner entry without a right gives it to no owner | root owner read-data; object by me | me updates data | 403
`);

const ATTACHMENTS = table(`
  read-attachment unset falls back to read-data | object users.me read-data | me reads | 200
  write-attachment unset falls back to write-data | object users.me write-data | me writes | 204
  the fall-back finds read-data at the folder | folder users.me read-data | me reads | 200
  the fall-back finds write-data at the root | root users.me write-data | me writes | 204
  the fall-back shows the attachment’s metadata | object users.me read-data | me sees attachment | shown
  not-read-data falls back as a denial | folder users.me read-data; object users.me not-read-data | me reads | 403
  read-data is no right to write the file | object users.me read-data | me writes | 403
  write-data is no right to read the file | object users.me write-data | me reads | 403
  not-read-attachment is set: read-data does not help | object users.me read-data,not-read-attachment | me reads | 403
  not-read-attachment hides the metadata | object users.me read-data,not-read-attachment | me sees attachment | hidden
  not-write-attachment is set: write-data does not help | object users.me write-data,not-write-attachment | me writes | 403
  set on a farther level is set: denial | root users.me not-read-attachment; object users.me read-data | me reads | 403
  set on a farther level is set: grant | root users.me read-attachment; object users.me not-read-data | me reads | 200
  set for somebody else is not set for me | object users.alice not-read-attachment; object users.me read-data | me reads | 200
  set for a group of mine is set for me | object groups.friends not-read-attachment; object users.me read-data | me reads | 403
  set for a group that is not mine is not set for me | object groups.others-only not-read-attachment; object users.me read-data | me reads | 200
  set for other is set for me | folder other not-write-attachment; object users.me write-data | me writes | 403
  set for the owner is not set for who does not own it | object owner not-read-attachment; object users.me read-data | me reads | 200
  read-attachment alone reads the file and shows no data | object users.me read-attachment | me sees data | hidden
  read-attachment alone shows the metadata | object users.me read-attachment | me sees attachment | shown
  changing the name needs write-attachment | object users.me write-data,not-write-attachment | me renames | 403
  changing the name with write-attachment | object users.me write-attachment | me renames | 204
  removing the file needs write-attachment | object users.me write-data,not-write-attachment | me removes the file | 403
  removing the file with write-attachment | object users.me write-attachment | me removes the file | 204
`);

const VIEWS = table(`
  read-acl is a read right: the object without data | object users.me read-acl | me sees data | hidden
  read-data shows type | object users.me read-data | me sees type | shown
  without read-data no type | object users.me read-acl | me sees type | hidden
  read-data does not show acl | object users.me read-data | me sees acl | hidden
  read-data does not show subscriptions | object users.me read-data | me sees subscriptions | hidden
  read-children shows owner | object users.me read-children | me sees owner | shown
  read-children shows mtime | object users.me read-children | me sees mtime | shown
  read-subscriptions shows btime | object users.me read-subscriptions | me sees btime | shown
  read-children shows no data | object users.me read-children | me sees data | hidden
  a write right is no read right | object users.me write-data,write-acl,write-subscriptions,write-attachment | me sees owner | 403
  write-children and delete-children are no read rights | object users.me write-children,delete-children | me sees owner | 403
  type needs write-data | object users.me write-acl | me updates type | 403
  type with write-data | object users.me write-data | me updates type | 204
`);

const CHANGES = table(`
  write-subscriptions does not change another’s entry | object users.me write-subscriptions | me subscribes carol | 403
  write-subscriptions does not remove another’s entry | object users.me write-subscriptions | me unsubscribes alice | 403
  the object’s owner changes another’s entry | object by me | me subscribes carol | 204
  the object’s owner needs write-subscriptions | object by me; object owner not-write-subscriptions | me subscribes carol | 403
  the tree’s owner changes another’s entry on what others own | object by me | alice subscribes carol | 204
  the tree’s owner needs write-subscriptions | object users.alice not-write-subscriptions | alice subscribes carol | 403
  write-data on the parent does not create | object users.me write-data | me creates | 403
  write-children on the parent does not delete | object users.me write-children | me deletes | 403
  delete-children inherited from the folder deletes | folder users.me delete-children | me deletes | 204
  owning a child is no right to delete it | object users.me write-children,not-delete-children | me creates and deletes | 403
  not- on the child does not keep it | object users.me delete-children; child other not-delete-children | me deletes | 204
`);

/** Every row. */
export const ROWS: readonly Row[] = [
  ...SPELLINGS,
  ...PRINCIPALS,
  ...PRECEDENCE,
  ...LEVELS,
  ...ATTACHMENTS,
  ...VIEWS,
  ...CHANGES,
];

/** One row in a line: rule | settings, separated by semicolons | deed | what is expected. */
function table(text: string): Row[] {
  return text
    .split('\n')
    .filter((line) => line.includes('|'))
    .map((line) => {
      const [rule = '', settings = '', deed = '', expected = ''] = line.split('|').map((cell) => cell.trim());
      return { rule, settings: settings.split('; ').filter(Boolean), deed, expected: expectation(expected) };
    });
}

function expectation(text: string): Expected {
  return text === 'shown' || text === 'hidden' ? text : Number(text);
}

/** All rights but this one and, for attachments, the one they fall back to. */
function allBut(right: string): string {
  const without = [right, right.replace('attachment', 'data')];
  return EACH.map(([name]) => name)
    .filter((name) => !without.includes(name))
    .join(',');
}

/** What comes where only this right is missing: a view without the field, or 403. */
function insteadOf(right: string): Expected {
  return ['read-data', 'read-acl', 'read-subscriptions'].includes(right) ? 'hidden' : 403;
}
