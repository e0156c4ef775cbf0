/**
 * `If-Match` and `If-None-Match` (PROTOCOL §10, extension `etag`), which any request may carry. The tag of an object is the
 * sequence of its tree at its last change, so an object that was deleted and created anew never has an old one's tag.
 */
import { fospError } from '@fosp/protocol';

export interface Preconditions {
  readonly 'if-match'?: string;
  readonly 'if-none-match'?: string;
}

const TAGS = /^(?:W\/)?"[\x21\x23-\x7e]*"(?:\s*,\s*(?:W\/)?"[\x21\x23-\x7e]*")*$/;

export function etagOf(version: number): string {
  return `"${version}"`;
}

/**
 * Lets a request pass whose `If-Match` holds; for one that changes something, and whose `If-None-Match` does.
 * @param etag of the object; undefined where there is none
 * @throws precondition-failed; malformed where a header is no list of tags
 */
export function checkPreconditions(
  headers: Preconditions,
  etag: string | undefined,
  { changes }: { readonly changes: boolean },
): void {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  if (match !== undefined && !names('If-Match', match, etag)) {
    throw fospError('precondition-failed', 'If-Match: the object has changed since.');
  }
  if (changes && noneMatch !== undefined && names('If-None-Match', noneMatch, etag)) {
    throw fospError('precondition-failed', 'If-None-Match: the object is there already, with this tag.');
  }
}

/**
 * For a request that reads, once the reader is known to have the right.
 * @throws not-modified where the reader has what would be sent
 */
export function checkModified({ 'if-none-match': noneMatch }: Preconditions, etag: string): void {
  if (noneMatch !== undefined && names('If-None-Match', noneMatch, etag)) {
    throw fospError('not-modified', 'Not modified.', { headers: { ETag: etag } });
  }
}

/** Whether a header names this tag. Ours are strong, so a weak one in the list names it only where that is said to suffice. */
function names(header: 'If-Match' | 'If-None-Match', value: string, etag: string | undefined): boolean {
  if (value === '*') {
    return etag !== undefined;
  }
  if (!TAGS.test(value)) {
    throw fospError('malformed', `${header}: must be * or a list of quoted tags, as in "12", "13".`);
  }
  const tags = value.split(',').map((tag) => tag.trim());
  return etag !== undefined && (tags.includes(etag) || (header === 'If-None-Match' && tags.includes(`W/${etag}`)));
}
