/** The eleven rights (SPEC §6.1, PROTOCOL §5) as bits, and every spelling of them. */

/** One bit per right. */
export const RIGHTS = {
  readData: 1,
  writeData: 2,
  readAcl: 4,
  writeAcl: 8,
  readSubscriptions: 16,
  writeSubscriptions: 32,
  readAttachment: 64,
  writeAttachment: 128,
  readChildren: 256,
  writeChildren: 512,
  deleteChildren: 1024,
} as const;

/** A set of rights: bits of `RIGHTS`. */
export type RightsMask = number;

export const ALL_RIGHTS: RightsMask = 2047;

/** Any of these shows an object's `owner`, `btime` and `mtime`. */
export const READ_RIGHTS: RightsMask =
  RIGHTS.readData | RIGHTS.readAcl | RIGHTS.readSubscriptions | RIGHTS.readAttachment | RIGHTS.readChildren;

/** Granted rights in the low `DENY_SHIFT` bits, rights taken away (`not-`) in the bits above; unset where neither. */
export type Entry = number;

export const DENY_SHIFT = 11;

/** The rights that an entry sets, either way. */
export function setBy(entry: Entry): RightsMask {
  return (entry | (entry >> DENY_SHIFT)) & ALL_RIGHTS;
}

/** Within one list `not-` wins over the same right. */
export function settled(entry: Entry): Entry {
  return entry & ~(entry >> DENY_SHIFT);
}

/** What each thing that rights are about can be done with, in canonical order. */
const VERBS = {
  data: ['read', 'write'],
  acl: ['read', 'write'],
  subscriptions: ['read', 'write'],
  attachment: ['read', 'write'],
  children: ['read', 'write', 'delete'],
} as const;

/** All rights as the server itself spells them: older clients know only this order of words. */
export const SERVER_SPELLING: readonly string[] = Object.entries(VERBS).flatMap(([noun, verbs]) =>
  verbs.map((verb) => `${noun}-${verb}`),
);

const ENTRIES: ReadonlyMap<string, Entry> = spellings();

/** What one right in a list sets, in either spelling, with or without `not-`; undefined where there is no such right. */
export function entryOfRight(name: string): Entry | undefined {
  return ENTRIES.get(name);
}

/** The canonical spelling of a member of the object form: `not-write` of `data` is `not-write-data`; undefined if unknown. */
export function rightOfObjectForm(noun: string, verb: string): string | undefined {
  const name = `${verb}-${noun}`;
  return Object.hasOwn(VERBS, noun) && ENTRIES.has(name) ? name : undefined;
}

/** What rights are about: the members that the object form has. */
export const NOUNS: readonly string[] = Object.keys(VERBS);

/** Canonical names of the rights in a set. */
export function rightNames(rights: RightsMask): string[] {
  const names = Object.entries(VERBS).flatMap(([noun, verbs]) => verbs.map((verb) => `${verb}-${noun}`));
  return names.filter((_, index) => (rights & (1 << index)) !== 0);
}

function spellings(): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  let bit = 1;
  for (const [noun, verbs] of Object.entries(VERBS)) {
    for (const verb of verbs) {
      for (const name of [`${verb}-${noun}`, `${noun}-${verb}`]) {
        entries.set(name, bit);
        entries.set(`not-${name}`, bit << DENY_SHIFT);
      }
      bit <<= 1;
    }
  }
  return entries;
}
