/**
 * Flat headers as NATS headers, one each. Names of fields are in lower case, so whatever begins with a capital is ours or
 * the server's and never becomes a field. NATS trims values and ends them at a line break; a value that would not survive
 * that, or that begins with the mark itself, is carried percent-encoded behind the mark.
 */
import type { Msg } from '@nats-io/transport-node';
import type { BusHeaders } from '../transport.ts';

/** Headers of our own beside the fields. */
export const DEADLINE = 'Fosp-Deadline';
export const REQUEST_ID = 'Fosp-Request-Id';
export const TRACE = 'Traceparent';
/** Of an answer: why there is none, a `BusErrorCode`. */
export const REFUSAL = 'Fosp-Refusal';

const MARK = '%';
const UNSAFE = /^[%\s]|[\r\n]|\s$/;

const VERSION = 'NATS/1.0';

/** What a message says beside its body. */
export interface Received {
  readonly fields: BusHeaders;
  /** Ours and the server's, by name. */
  readonly own: BusHeaders;
}

/** The bytes of fields and of headers of our own. The client would check and sort each of them, which costs four times this. */
export function encodeHeaders(fields: BusHeaders, own?: BusHeaders): Uint8Array {
  return Buffer.from(`${VERSION}\r\n${linesOf(fields)}${own === undefined ? '' : linesOf(own)}\r\n`, 'utf8');
}

function linesOf(headers: BusHeaders): string {
  let lines = '';
  for (const name in headers) {
    lines += `${name}: ${encodeValue(headers[name] ?? '')}\r\n`;
  }
  return lines;
}

export function receivedIn(headers: Iterable<[string, string[]]> | undefined): Received {
  const fields: Record<string, string> = {};
  const own: Record<string, string> = {};
  for (const [name, values] of headers ?? []) {
    const first = name.charCodeAt(0);
    const kind = first < 0x41 || first > 0x5a ? fields : own;
    kind[name] = decodeValue(values[0] ?? '');
  }
  return { fields, own };
}

function encodeValue(value: string): string {
  return UNSAFE.test(value) ? MARK + encodeURIComponent(value.toWellFormed()) : value;
}

/** What is not ours, and only looks encoded, stays as it is. */
function decodeValue(value: string): string {
  if (!value.startsWith(MARK)) {
    return value;
  }
  try {
    return decodeURIComponent(value.slice(MARK.length));
  } catch {
    return value;
  }
}

/** The server's own answer to a request that nobody listens to. */
export function isNoResponders(message: Msg): boolean {
  return message.headers?.code === 503 && message.data.byteLength === 0;
}

/** In front of an answer that takes long: somebody is at it. */
const CONTINUE = 100;

export function noteHeaders(): Uint8Array {
  return Buffer.from(`${VERSION} ${CONTINUE} Continue\r\n\r\n`, 'latin1');
}

export function isNote(message: Msg): boolean {
  return message.headers?.code === CONTINUE;
}
