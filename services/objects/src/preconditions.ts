/**
 * `If-Match` and `If-None-Match` (PROTOCOL §10, extension `etag`), which any request may carry. The tag of an object is the
 * sequence of its tree at its last change, so an object that was deleted and created anew never has an old one's tag.
 *
 * Invariant: a tag is told to those alone who hold a read right on its object, and is compared with their conditions
 * alone. They are compared once the request has every right it needs: before, the outcome would tell of what is there.
 */
import { fospError, READ_RIGHTS, type RightsMask } from '@fosp/protocol';
import type { StoredObject } from './store/store.ts';

export interface Preconditions {
  readonly 'if-match'?: string;
  readonly 'if-none-match'?: string;
}

const TAGS = /^(?:W\/)?"[\x21\x23-\x7e]*"(?:\s*,\s*(?:W\/)?"[\x21\x23-\x7e]*")*$/;

export function etagOf(version: number): string {
  return `"${version}"`;
}

/** The tag of an object that somebody has no read right on: there is one, but no list names it. */
const HIDDEN = '';

/** The tag of an object as it counts for the conditions of a user with these rights on it; undefined where there is none. */
export function etagFor(object: StoredObject | undefined, rights: RightsMask): string | undefined {
  return object && ((rights & READ_RIGHTS) === 0 ? HIDDEN : etagOf(object.version));
}

/** The tag after a change, where its user may know it. */
export interface ToldEtag {
  readonly etag?: string;
}

/** What a user with these rights on the object may be told of its tag. */
export function toldEtag(version: number, rights: RightsMask): ToldEtag {
  return (rights & READ_RIGHTS) === 0 ? {} : { etag: etagOf(version) };
}

/** @throws malformed where a header is no list of tags */
export function checkSyntax({ 'if-match': match, 'if-none-match': noneMatch }: Preconditions): void {
  for (const [name, value = '*'] of [['If-Match', match] as const, ['If-None-Match', noneMatch] as const]) {
    if (value !== '*' && !TAGS.test(value)) {
      throw fospError('malformed', `${name}: must be * or a list of quoted tags, as in "12", "13".`);
    }
  }
}

/**
 * Lets a request pass that would change something, if its conditions hold.
 * @param etag of the object, from `etagFor`; undefined where there is none
 * @throws precondition-failed
 */
export function checkChange(headers: Preconditions, etag: string | undefined): void {
  checkMatch(headers, etag);
  const { 'if-none-match': noneMatch } = headers;
  if (noneMatch !== undefined && names('If-None-Match', noneMatch, etag)) {
    throw fospError('precondition-failed', 'If-None-Match: the object is there already, with this tag.');
  }
}

/**
 * Lets a request pass that reads what has this tag, if its conditions hold.
 * @throws precondition-failed; not-modified where the reader has what would be sent
 */
export function checkRead(headers: Preconditions, etag: string): void {
  checkMatch(headers, etag);
  const { 'if-none-match': noneMatch } = headers;
  if (noneMatch !== undefined && names('If-None-Match', noneMatch, etag)) {
    throw fospError('not-modified', 'Not modified.', { headers: { ETag: etag } });
  }
}

function checkMatch({ 'if-match': match }: Preconditions, etag: string | undefined): void {
  if (match !== undefined && !names('If-Match', match, etag)) {
    throw fospError('precondition-failed', `If-Match: ${whyNot(etag)}.`);
  }
}

function whyNot(etag: string | undefined): string {
  if (etag === undefined) {
    return 'there is no object yet';
  }
  return etag === HIDDEN ? 'only who may read the object may compare its tag' : 'the object has changed since';
}

/** Whether a header names this tag. Ours are strong, so a weak one in the list names it only where that is said to suffice. */
function names(header: 'If-Match' | 'If-None-Match', value: string, etag: string | undefined): boolean {
  if (value === '*') {
    return etag !== undefined;
  }
  const tags = value.split(',').map((tag) => tag.trim());
  return etag !== undefined && (tags.includes(etag) || (header === 'If-None-Match' && tags.includes(`W/${etag}`)));
}
