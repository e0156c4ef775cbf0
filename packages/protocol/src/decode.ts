/**
 * Reading heads (SPEC §4.2, §4.3, PROTOCOL §2): what begins a message up to the first CRLFCRLF, or all of a message
 * that ends with the CRLF of its last line. The body is never looked at.
 *
 * Invariants: no bytes make it throw. For the beginning of a message it answers `incomplete`, or what it answers for the
 * whole. A malformed message keeps its sequence number where its start line ends in one, so that it can be answered.
 */
import { readHeaders } from './headers.ts';
import { LIMITS } from './limits.ts';
import { type Head, NO_HEADERS } from './message.ts';
import { readNumber, readStartLine } from './start-line.ts';

export type DecodedHead =
  /** The body is what begins at `bodyOffset`. */
  | { readonly kind: 'head'; readonly head: Head; readonly bodyOffset: number }
  /** The head goes on in bytes that are still to come. */
  | { readonly kind: 'incomplete' }
  /** `sequence` is 0 where none could be read. `message` tells the sender what is wrong where. */
  | { readonly kind: 'malformed'; readonly sequence: number; readonly message: string };

/**
 * Reads the head of a message.
 *
 * @param bytes the message, or its beginning
 * @param complete whether it is the whole message
 */
export function decodeHead(bytes: Uint8Array, complete: boolean): DecodedHead {
  let linesEnd = endOfLines(bytes);
  let bodyOffset = linesEnd + 2;
  if (linesEnd < 0) {
    if (bytes.length > LIMITS.headBytes) {
      return malformed(bytes, `The head is over ${LIMITS.headBytes} bytes, or no blank line (CRLF CRLF) ends it.`);
    }
    if (!complete) {
      return INCOMPLETE;
    }
    linesEnd = bytes.length;
    bodyOffset = bytes.length;
  }
  const text = decodeText(bytes.subarray(0, linesEnd));
  if (text === undefined) {
    return malformed(bytes, whereNoText(bytes.subarray(0, linesEnd)));
  }
  if (!text.endsWith('\r\n')) {
    return malformed(bytes, text === '' ? 'The message is empty.' : 'The head: each line must end with CRLF.');
  }
  const head = readLines(text);
  return typeof head === 'string' ? malformed(bytes, head) : { kind: 'head', head, bodyOffset };
}

/** Text of UTF-8 bytes, `undefined` where they are none. A byte order mark is kept: no head or JSON begins with one. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const INCOMPLETE: DecodedHead = { kind: 'incomplete' };
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

/** Where the blank line begins, behind the CRLF of the last line before it; -1 where the limit has none. */
function endOfLines(bytes: Uint8Array): number {
  const end = Math.min(bytes.length, LIMITS.headBytes);
  for (let at = 3; at < end; at++) {
    if (bytes[at] === LF && bytes[at - 1] === CR && bytes[at - 2] === LF && bytes[at - 3] === CR) {
      return at - 1;
    }
  }
  return -1;
}

function readLines(text: string): Head | string {
  const lineEnd = text.indexOf('\r\n');
  const headers = readHeaders(text, lineEnd + 2);
  const head = readStartLine(text, lineEnd, typeof headers === 'string' ? NO_HEADERS : headers);
  return typeof head === 'string' || typeof headers !== 'string' ? head : headers;
}

function malformed(bytes: Uint8Array, message: string): DecodedHead {
  return { kind: 'malformed', sequence: sequenceOf(bytes), message };
}

/** The number at the end of the start line, whatever else is wrong with the message; 0 where there is none. */
function sequenceOf(bytes: Uint8Array): number {
  const limit = Math.min(bytes.length, LIMITS.headBytes);
  let end = 0;
  let space = -1;
  for (; end < limit && bytes[end] !== CR && bytes[end] !== LF; end++) {
    if (bytes[end] === SPACE) {
      space = end;
    }
  }
  if (space < 0 || end === LIMITS.headBytes) {
    return 0;
  }
  const token = String.fromCharCode(...bytes.subarray(space + 1, end));
  return Math.max(0, readNumber(token, 0, token.length));
}

/** Which line is no UTF-8. */
function whereNoText(lines: Uint8Array): string {
  let line = 0;
  let start = 0;
  for (let end = lines.indexOf(LF); end >= 0 && decodeText(lines.subarray(start, end)) !== undefined; line++) {
    start = end + 1;
    end = lines.indexOf(LF, start);
  }
  return `${line === 0 ? 'Start line' : `Header ${line}`}: this is no UTF-8.`;
}
