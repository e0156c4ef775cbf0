/**
 * Paths in a tree (SPEC §4.2, PROTOCOL §2): `''` for the root, else `/social/me`. Anything visible may stand in a part;
 * the rest is written as `%HH`. An escape is kept, it is not the character that it stands for: `%61` is not `a`.
 *
 * Invariant: equal paths have equal bytes after `normalisePath`, and it leaves its own results as they are.
 */
import { DOT, isUpperHexDigit, PERCENT, SLASH } from './ascii.ts';
import { type FospError, fospError } from './errors.ts';
import { utf8Length } from './json.ts';
import { LIMITS } from './limits.ts';
import { quote, quoteCharacter } from './quote.ts';

/** What a part may not have in the clear, `%` aside. */
export const FORBIDDEN_IN_PART = /[\p{Cc}\p{Cf}\p{Cs}\p{Cn}\p{White_Space}/?#"^`|{}]/u;

const ESCAPE = /%[0-9a-f]{2}/gi;
const NO_ESCAPE = /%(?![0-9A-F]{2})/;

/**
 * The one spelling of a path. One slash at its end is dropped.
 *
 * @param text empty, or beginning with a slash
 * @throws FospError `malformed`, naming the part at fault
 */
export function normalisePath(text: string): string {
  if (text === '' || text === '/') {
    return '';
  }
  if (text.length > LIMITS.resourceBytes) {
    throw refusal('Path', text, `it is longer than ${LIMITS.resourceBytes} bytes`);
  }
  if (isPlainPath(text, 0)) {
    return text;
  }
  if (text.charCodeAt(0) !== SLASH) {
    throw refusal('Path', text, 'it must begin with a slash');
  }
  const end = text.charCodeAt(text.length - 1) === SLASH ? text.length - 1 : text.length;
  const parts = text.slice(1, end).split('/');
  if (parts.length > LIMITS.parts) {
    throw refusal('Path', text, `it has more than ${LIMITS.parts} parts`);
  }
  return `/${parts.map(normalisePathPart).join('/')}`;
}

/**
 * The one spelling of a part of a path, the name of a child: NFC, the hex digits of escapes in capitals.
 *
 * @throws FospError `malformed`, naming the character at fault
 */
export function normalisePathPart(text: string): string {
  if (text === '') {
    throw fospError('malformed', 'A part of the path is empty.');
  }
  if (text === '.' || text === '..') {
    throw refusal('Path part', text, 'write it as %2E or %2E%2E');
  }
  // The work of NFC grows with the square of the marks, and its result is never half as long.
  if (text.length > 2 * LIMITS.partBytes) {
    throw tooLong(text);
  }
  // Escapes first: a capital could join with a mark behind it.
  const part = text.replace(ESCAPE, (triplet) => triplet.toUpperCase()).normalize('NFC');
  const forbidden = FORBIDDEN_IN_PART.exec(part);
  if (forbidden !== null) {
    throw refusal('Path part', text, `${quoteCharacter(forbidden[0])} is not allowed, write it as %HH`);
  }
  if (NO_ESCAPE.test(part)) {
    throw refusal('Path part', text, 'two hexadecimal digits must follow each "%", write "%" itself as %25');
  }
  if (utf8Length(part) > LIMITS.partBytes) {
    throw tooLong(text);
  }
  return part;
}

/** Whether what begins at `from` is a plain path: of ASCII characters, normalised already; not the root. */
export function isPlainPath(text: string, from: number): boolean {
  let parts = 0;
  let at = from;
  while (at < text.length) {
    if (text.charCodeAt(at) !== SLASH || ++parts > LIMITS.parts) {
      return false;
    }
    const start = at + 1;
    at = endOfPlainPart(text, start);
    if (at === start || at - start > LIMITS.partBytes || (at - start <= 2 && isDots(text, start, at))) {
      return false;
    }
  }
  return parts > 0;
}

function endOfPlainPart(text: string, start: number): number {
  let at = start;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === PERCENT) {
      if (!isUpperHexDigit(text.charCodeAt(at + 1)) || !isUpperHexDigit(text.charCodeAt(at + 2))) {
        break;
      }
    } else if (code >= PLAIN.length || PLAIN[code] === 0) {
      break;
    }
  }
  return at;
}

function isDots(text: string, start: number, end: number): boolean {
  return text.charCodeAt(start) === DOT && text.charCodeAt(end - 1) === DOT;
}

/** 1 for the ASCII characters of which a part may consist, `%` aside. */
const PLAIN = Uint8Array.from({ length: 0x80 }, (_, code) =>
  code === PERCENT || FORBIDDEN_IN_PART.test(String.fromCharCode(code)) ? 0 : 1,
);

function tooLong(text: string): FospError {
  return refusal('Path part', text, `it is longer than ${LIMITS.partBytes} bytes`);
}

function refusal(what: string, text: string, why: string): FospError {
  return fospError('malformed', `${what} ${quote(text)}: ${why}.`);
}
