/**
 * The `acl` of an object (SPEC §5.4, PROTOCOL §4, §5): checked, and brought into the form it is stored in. Rights stay as
 * they were given; names of users are normalised, `others` becomes `other`, and two spellings of one principal are one
 * set. `users` and `groups` without members say nothing and are left out.
 *
 * All this happens to a patch before it is merged, so that `Bob@X` changes the entry of `bob@x`. A whole ACL is a patch of
 * nothing.
 */
import { fospError } from './errors.ts';
import { elementsAt, malformedField, memberField, membersAt, stringAt, userAt } from './field.ts';
import { elements, members, objectText, stringOf, utf8Length } from './json.ts';
import { LIMITS } from './limits.ts';
import { mergePatch } from './merge-patch.ts';
import { entryOfRight, NOUNS, rightOfObjectForm, SERVER_SPELLING } from './policy/right-names.ts';
import { quote } from './quote.ts';

export interface AclLimits {
  /** Bytes of an ACL's JSON text. */
  readonly aclBytes: number;
}

/**
 * The form in which an ACL is stored; undefined where it says nothing.
 * @throws malformed, naming the field; too-large
 */
export function normaliseAcl(text: string, limits: AclLimits = LIMITS): string | undefined {
  return mergeAcl(undefined, normaliseAclPatch(text), limits);
}

/**
 * An ACL in its stored form after a patch from `normaliseAclPatch`; undefined where nothing is left of it.
 * @throws too-large
 */
export function mergeAcl(current: string | undefined, patch: string, limits: AclLimits = LIMITS): string | undefined {
  const merged = withoutEmpty(mergePatch(current, patch));
  const bytes = merged === undefined ? 0 : utf8Length(merged);
  if (bytes > limits.aclBytes) {
    throw fospError('too-large', `acl: would have ${bytes} bytes, the limit is ${limits.aclBytes}.`);
  }
  return merged;
}

/**
 * A merge patch for an ACL, checked and with every name in its stored form.
 * @throws malformed, naming the field
 */
export function normaliseAclPatch(text: string): string {
  const patch = new Map<string, string>();
  for (const [name, raw] of membersAt(text, 'acl')) {
    const field = `acl.${name}`;
    switch (name) {
      case 'owner':
      case 'other':
      case 'others': {
        checkRights(raw, field);
        addRights(patch, name === 'owner' ? 'owner' : 'other', raw);
        break;
      }
      case 'users':
      case 'groups':
        patch.set(name, raw === 'null' ? raw : principals(raw, name));
        break;
      default:
        throw malformedField('acl', `there is no member ${quote(name)}; there are owner, users, groups and other`);
    }
  }
  return objectText(patch);
}

/** Whether a patch from `normaliseAclPatch` changes no ACL, whatever it holds. */
export function isEmptyAcl(patch: string): boolean {
  return withoutEmpty(patch) === undefined;
}

/** ACL of the root of a new tree: all rights for its user, in the one spelling that all existing clients know. */
export function rootAcl(user: string): string {
  const all = JSON.stringify(SERVER_SPELLING);
  return `{"owner":${all},"users":{${JSON.stringify(user)}:${all}}}`;
}

function principals(raw: string, kind: 'users' | 'groups'): string {
  const found = new Map<string, string>();
  for (const [name, rights] of membersAt(raw, `acl.${kind}`)) {
    const field = memberField(`acl.${kind}`, name);
    checkRights(rights, field);
    addRights(found, kind === 'users' ? userAt(name, field) : name, rights);
  }
  return objectText(found);
}

/** Of two spellings of one principal the rights are one set; null beside rights says nothing. */
function addRights(found: Map<string, string>, name: string, raw: string): void {
  const before = found.get(name) ?? 'null';
  if (before === 'null' || raw === 'null') {
    found.set(name, before === 'null' ? raw : before);
  } else {
    found.set(name, JSON.stringify([...new Set([...rightsIn(before), ...rightsIn(raw)])]));
  }
}

/** A set of rights: a list, or in a patch null, or the object form `{"data":["read","not-write"]}`. */
function checkRights(raw: string, field: string): void {
  if (raw === 'null') {
    return;
  }
  const list = elements(raw);
  for (const [index, element] of list?.entries() ?? []) {
    const right = stringAt(element, `${field}[${index}]`);
    if (entryOfRight(right) === undefined) {
      throw malformedField(`${field}[${index}]`, `there is no right ${quote(right)}`);
    }
  }
  if (list === undefined) {
    checkObjectForm(raw, field);
  }
}

function checkObjectForm(raw: string, field: string): void {
  const nouns = members(raw);
  if (nouns === undefined) {
    throw malformedField(field, 'must be a list of rights');
  }
  for (const [noun, verbs] of nouns) {
    const member = memberField(field, noun);
    if (!NOUNS.includes(noun)) {
      throw malformedField(member, `there are no rights for this; there are ${NOUNS.join(', ')}`);
    }
    for (const element of verbs === 'null' ? [] : elementsAt(verbs, member)) {
      const verb = stringAt(element, member);
      if (rightOfObjectForm(noun, verb) === undefined) {
        throw malformedField(member, `there is no right ${quote(verb)} for it`);
      }
    }
  }
}

/** The rights of a checked set, one by one. */
function rightsIn(raw: string): string[] {
  const list = elements(raw);
  if (list !== undefined) {
    return list.map((right) => stringOf(right) ?? '');
  }
  const rights: string[] = [];
  for (const [noun, verbs] of members(raw) ?? []) {
    for (const verb of elements(verbs) ?? []) {
      rights.push(rightOfObjectForm(noun, stringOf(verb) ?? '') ?? '');
    }
  }
  return rights;
}

function withoutEmpty(text: string): string | undefined {
  const all = [...(members(text) ?? [])];
  const kept = all.filter(([name, raw]) => !(name === 'users' || name === 'groups') || members(raw)?.size !== 0);
  if (kept.length === 0) {
    return undefined;
  }
  return kept.length === all.length ? text : objectText(kept);
}
