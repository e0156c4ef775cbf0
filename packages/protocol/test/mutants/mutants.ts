/** Deliberate faults in what decides rights, views, changes and notifications. Each must be caught by the oracle or a table. */

export interface Mutant {
  /** Under `src`. */
  readonly file: string;
  /** Occurs exactly once. */
  readonly find: string;
  readonly replace: string;
  /** What would go wrong with it. */
  readonly why: string;
}

const RIGHTS: readonly Mutant[] = [
  {
    file: 'policy/rights.ts',
    find: 'level.users.get(user) ?? 0',
    replace: 'level.users.get(owner) ?? 0',
    why: "the owner's entry would stand for the user's",
  },
  {
    file: 'policy/rights.ts',
    find: 'user === owner',
    replace: 'user !== owner',
    why: 'acl.owner would be for everybody but the owner',
  },
  {
    file: 'policy/rights.ts',
    find: 'if (user === owner) {',
    replace: 'if (user === owner && level === levels[0]) {',
    why: 'acl.owner would not be inherited',
  },
  {
    file: 'policy/rights.ts',
    find: `    decided = completed(decided, level.other);
`,
    replace: '',
    why: 'nobody would have what everybody has',
  },
  {
    file: 'policy/rights.ts',
    find: 'decided = completed(decided, level.owner);',
    replace: 'decided = completed(level.owner, decided);',
    why: "the owner's entry, and farther levels, would win over nearer ones",
  },
  {
    file: 'policy/rights.ts',
    find: 'if (setBy(decided) === ALL_RIGHTS) {',
    replace: 'if (setBy(decided) !== 0) {',
    why: 'the first level with any entry would decide every right',
  },
  {
    file: 'policy/rights.ts',
    find: ' & ~setBy(decided))) & ALL_RIGHTS',
    replace: ')) & ALL_RIGHTS',
    why: 'attachment rights that were taken away would come back with the data rights',
  },
  {
    file: 'policy/rights.ts',
    find: 'RIGHTS.readAttachment | RIGHTS.writeAttachment;',
    replace: 'RIGHTS.readAttachment;',
    why: 'write-attachment would not fall back',
  },
  {
    file: 'policy/rights.ts',
    find: 'const FALL_BACK_SHIFT = 6;',
    replace: 'const FALL_BACK_SHIFT = 4;',
    why: 'attachment rights would fall back to those of acl',
  },
  {
    file: 'policy/rights.ts',
    find: 'next & ~setBy(decided)',
    replace: 'next',
    why: 'a grant farther up would win over a nearer not-',
  },
  {
    file: 'policy/rights.ts',
    find: 'return settled(together);',
    replace: 'return together & ~((together & ALL_RIGHTS) << 11);',
    why: 'a grant in any group would win over a not- in another',
  },
  {
    file: 'policy/rights.ts',
    find: 'together |= entries.get(name) ?? 0;',
    replace: 'together = together || (entries.get(name) ?? 0);',
    why: 'only the first of several groups would count',
  },
  {
    file: 'policy/rights.ts',
    find: `    if (level === undefined) {
      continue;`,
    replace: `    if (level === undefined) {
      break;`,
    why: 'an object without an acl would inherit nothing',
  },
];

const SPELLINGS: readonly Mutant[] = [
  {
    file: 'policy/right-names.ts',
    find: 'return entry & ~(entry >> DENY_SHIFT);',
    replace: 'return entry & ~((entry & ALL_RIGHTS) << DENY_SHIFT);',
    why: 'within one list the grant would win over not-',
  },
  {
    file: 'policy/right-names.ts',
    find: ', bit << DENY_SHIFT);',
    replace: ', 0);',
    why: 'not- would say nothing',
  },
  {
    file: 'policy/right-names.ts',
    find: '}`, `$',
    replace: '}`, `x$',
    why: 'the spelling that existing clients know would be refused',
  },
  {
    file: 'policy/right-names.ts',
    find: 'RIGHTS.readData | RIGHTS.readAcl | RIGHTS.readSubscriptions | RIGHTS.readAttachment | RIGHTS.readChildren;',
    replace: 'RIGHTS.readData | RIGHTS.readAcl | RIGHTS.readSubscriptions | RIGHTS.readAttachment;',
    why: 'read-children alone would show nothing',
  },
  {
    file: 'policy/compiled-acl.ts',
    find: "settled(listOf(acl.get('other')) | listOf(acl.get('others')))",
    replace: "settled(listOf(acl.get('others')) | 0)",
    why: 'other would be forgotten for its other spelling',
  },
  {
    file: 'policy/compiled-acl.ts',
    find: "groups: entriesOf(acl.get('groups')),",
    replace: "groups: entriesOf(acl.get('users')),",
    why: 'a group could not be given rights',
  },
  {
    file: 'policy/compiled-acl.ts',
    find: 'entry |= entryOfRight(rightOfObjectForm',
    replace: 'entry = entryOfRight(rightOfObjectForm',
    why: 'of the object form only the last right would count',
  },
  {
    file: 'policy/groups.ts',
    find: '? [key, detached(name)] : [detached(name), key]',
    replace: '? [detached(name), key] : [detached(name), key]',
    why: 'a key with @ would be a group',
  },
  {
    file: 'policy/groups.ts',
    find: 'names.add(list.areUsers ? userAt(name, field) : name);',
    replace: 'names.add(name);',
    why: 'members of a group would have to be spelled in small letters',
  },
  {
    file: 'acl.ts',
    find: "kind === 'users' ? userAt(name, field) : name",
    replace: 'name',
    why: 'an entry of Bob@X would not be for bob@x',
  },
  {
    file: 'acl.ts',
    find: "found.set(name, before === 'null' ? raw : before);",
    replace: 'found.set(name, raw);',
    why: 'null in one spelling would take away what another one gives',
  },
  {
    file: 'acl.ts',
    find: '[...rightsIn(before), ...rightsIn(raw)]',
    replace: '[...rightsIn(raw)]',
    why: 'of two spellings of one user only one would count',
  },
  {
    file: 'acl.ts',
    find: "name === 'owner' ? 'owner' : 'other', raw",
    replace: 'name, raw',
    why: 'others would be stored as a member of its own',
  },
  {
    file: 'acl.ts',
    find: 'if (entryOfRight(right) === undefined) {',
    replace: "if (entryOfRight(right.replace('not-', '')) === undefined) {",
    why: 'not-not-read-data would be a right that says nothing',
  },
];

const VIEWS: readonly Mutant[] = [
  {
    file: 'policy/view.ts',
    find: 'object.acl !== undefined && (rights & RIGHTS.readAcl) !== 0',
    replace: 'object.acl !== undefined && (rights & (RIGHTS.readAcl | RIGHTS.writeAcl)) !== 0',
    why: 'who may write the acl would see it',
  },
  {
    file: 'policy/view.ts',
    find: '(rights & RIGHTS.readAttachment) !== 0',
    replace: '(rights & RIGHTS.readData) !== 0',
    why: 'attachment would show with read-data although read-attachment was taken away',
  },
  {
    file: 'policy/view.ts',
    find: '(rights & RIGHTS.readSubscriptions) !== 0',
    replace: 'rights !== 0',
    why: 'everybody would see who subscribed',
  },
  {
    file: 'policy/view.ts',
    find: 'if ((rights & RIGHTS.readData) !== 0) {',
    replace: 'if ((rights & RIGHTS.readData) !== 0 || object.data === undefined) {',
    why: 'type would show without read-data',
  },
  {
    file: 'policy/view.ts',
    find: '(rights & READ_RIGHTS) === 0',
    replace: 'rights === 0',
    why: 'who may only write would see owner and times',
  },
  {
    file: 'policy/subscribers.ts',
    find: 'distance <= row.depth',
    replace: 'distance < row.depth',
    why: 'depth 1 would not cover children',
  },
  {
    file: 'policy/subscribers.ts',
    find: 'row.depth === -1 || ',
    replace: '',
    why: 'unlimited subscriptions would never match',
  },
  {
    file: 'policy/subscribers.ts',
    find: 'distance !== undefined && (row.events & bit) !== 0',
    replace: 'distance !== undefined && row.events !== 0',
    why: 'any event would do',
  },
  {
    file: 'subscriptions.ts',
    find: 'events: patch.events ?? current?.events ?? 0, depth: patch.depth ?? current?.depth ?? 0',
    replace: 'events: patch.events ?? 0, depth: patch.depth ?? 0',
    why: 'changing the depth would lose the events',
  },
];

const CHANGES: readonly Mutant[] = [
  {
    file: 'policy/changes.ts',
    find: 'equalJson(old, wanted) : old === wanted',
    replace: 'old === wanted : old === wanted',
    why: 'sending back what is there in another layout would need a right',
  },
  {
    file: 'policy/changes.ts',
    find: 'type: { read: RIGHTS.readData, write: RIGHTS.writeData },',
    replace: 'type: { read: RIGHTS.readData, write: 0 },',
    why: 'anybody could change the type',
  },
  {
    file: 'policy/changes.ts',
    find: "name === 'data' && path === GROUPS_PATH ? GROUPS_RIGHTS",
    replace: "name === 'acl' && path === GROUPS_PATH ? GROUPS_RIGHTS",
    why: 'groups, and so all rights, could be changed without write-acl',
  },
  {
    file: 'policy/changes.ts',
    find: 'neededWith(rights, change) & ~rights;',
    replace: '(neededWith(rights, change) & rights) === 0 ? neededWith(rights, change) : 0;',
    why: 'one right of several would do',
  },
  {
    file: 'policy/changes.ts',
    find: 'subscriptions.some((entry) => entry.user !== user)',
    replace: 'subscriptions.every((entry) => entry.user !== user)',
    why: "beside one's own entry those of others could be changed",
  },
  {
    file: 'policy/changes.ts',
    find: 'let needed = needs;',
    replace: 'return needs; let needed = needs;',
    why: 'who may not read a field could find out what is in it by guessing until nothing changes',
  },
  {
    file: 'policy/changes.ts',
    find: 'if ((rights & read) === 0) {',
    replace: 'if ((rights & (read | RIGHTS.writeAttachment)) === 0) {',
    why: 'any other right would let somebody guess what is in a field',
  },
  {
    file: 'policy/changes.ts',
    find: '|| [...patch.subscriptions.keys()].some((name) => name !== user)',
    replace: '|| subscriptions.some((entry) => entry.user !== user)',
    why: "who may not read subscriptions could find out others' by guessing",
  },
  {
    file: 'policy/changes.ts',
    find: 'acl === null || (acl !== undefined && !isEmptyAcl(acl))',
    replace: 'acl !== undefined',
    why: 'the empty acl that existing clients always send would need a right',
  },
  {
    file: 'policy/changes.ts',
    find: 'attachment === null || attachment?.name',
    replace: 'attachment !== undefined || attachment?.name',
    why: 'the empty attachment that existing clients always send would need a right',
  },
  {
    file: 'policy/changes.ts',
    find: 'user !== owner && user !== tree && ',
    replace: 'user !== owner && ',
    why: "who owns the tree could not end others' subscriptions",
  },
  {
    file: 'policy/changes.ts',
    find: 'attachment === undefined ? undefined : mergeAttachment(attachment, change),',
    replace: "mergeAttachment(attachment ?? '{}', change),",
    why: 'an attachment could be made up where there is no file',
  },
  {
    file: 'object.ts',
    find: 'path === GROUPS_PATH ? normaliseGroupsPatch(raw) : raw',
    replace: 'raw',
    why: 'groups would take any data',
  },
  {
    file: 'policy/forwarding.ts',
    find: 'domainOf(user) !== peer',
    replace: '!domainOf(user).endsWith(peer)',
    why: 'a server would be believed about users of domains that end like its own',
  },
];

export const MUTANTS: readonly Mutant[] = [...RIGHTS, ...SPELLINGS, ...VIEWS, ...CHANGES];
