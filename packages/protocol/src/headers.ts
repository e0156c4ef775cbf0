/** Header lines (SPEC §4.2, PROTOCOL §2). */
import { LIMITS } from './limits.ts';
import { type Headers, NO_HEADERS } from './message.ts';
import { quote, quoteCharacter } from './quote.ts';

/** What is sent or looked at by this project, and what old programs write. */
const KNOWN_NAMES = [
  'After',
  'Content-Type',
  'ETag',
  'File-Name',
  'From',
  'Id',
  'If-Match',
  'If-None-Match',
  'Limit',
  'Next',
  'Retry-After',
  'To',
  'User',
] as const;

const CANONICAL: ReadonlyMap<string, string> = new Map(
  KNOWN_NAMES.flatMap((name) => [
    [name, name],
    [name.toLowerCase(), name],
  ]),
);

const NAME = /^[A-Za-z][A-Za-z0-9-]*$/;

function isHeaderName(text: string): boolean {
  return NAME.test(text);
}

/** The spelling in which a name is sent and looked up: `content-type` is `Content-Type`, `etag` is `ETag`. */
function canonicalHeaderName(name: string): string {
  return (
    CANONICAL.get(name) ??
    CANONICAL.get(name.toLowerCase()) ??
    name.toLowerCase().replace(/^[a-z]|-[a-z]/g, (start) => start.toUpperCase())
  );
}

/** Whether it is a name in the spelling in which it is sent. */
export function isSpelledRight(name: string): boolean {
  return CANONICAL.get(name) === name || (isHeaderName(name) && canonicalHeaderName(name) === name);
}

const CONTROL = /\p{Cc}/u;

/**
 * Reads header lines, each ended by CRLF. Of two with the same name the last counts, as in older programs.
 *
 * @param from where the first line begins
 * @returns the headers, or what is wrong where
 */
export function readHeaders(head: string, from: number): Headers | string {
  if (from === head.length) {
    return NO_HEADERS;
  }
  const headers: Record<string, string> = Object.create(null);
  let count = 0;
  for (let start = from; start < head.length; ) {
    if (++count > LIMITS.headers) {
      return `There are more than ${LIMITS.headers} headers.`;
    }
    const end = head.indexOf('\r\n', start);
    const colon = head.indexOf(':', start);
    const given = colon < 0 || colon > end ? '' : head.slice(start, colon);
    const known = CANONICAL.get(given);
    if (known === undefined && !isHeaderName(given)) {
      return `Header ${count}, ${quote(head.slice(start, end))}: it must begin with a name of letters, digits and "-", and then ": ".`;
    }
    const name = known ?? canonicalHeaderName(given);
    if (head.charCodeAt(colon + 1) !== SPACE) {
      return `Header ${count}, ${name}: a space must follow the colon.`;
    }
    const value = head.slice(colon + 2, end);
    const control = CONTROL.exec(value);
    if (control !== null) {
      return `Header ${count}, ${name}: ${quoteCharacter(control[0])} is not allowed, and lines end with CRLF.`;
    }
    headers[name] = value;
    start = end + 2;
  }
  return headers;
}

const SPACE = 0x20;
