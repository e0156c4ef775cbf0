/**
 * Flat headers as NATS headers, one each. Names of fields are in lower case, so whatever begins with a capital is ours or
 * the server's and never becomes a field. NATS trims values and ends them at a line break; a value that would not survive
 * that, or that begins with the mark itself, is carried percent-encoded behind the mark.
 */
import { headers as emptyHeaders, type Msg, type MsgHdrs } from '@nats-io/transport-node';
import type { BusHeaders } from '../transport.ts';

/** Headers of our own beside the fields. */
export const DEADLINE = 'Fosp-Deadline';
export const REQUEST_ID = 'Fosp-Request-Id';
/** Of an answer: why there is none, a `BusErrorCode`. */
export const REFUSAL = 'Fosp-Refusal';

const MARK = '%';
const UNSAFE = /^[%\s]|[\r\n]|\s$/;

export function toNatsHeaders(fields: BusHeaders): MsgHdrs {
  const headers = emptyHeaders();
  for (const name of Object.keys(fields)) {
    headers.append(name, encodeValue(fields[name] ?? ''));
  }
  return headers;
}

export function fromNatsHeaders(headers: Iterable<[string, string[]]> | undefined): BusHeaders {
  const fields: Record<string, string> = {};
  for (const [name, values] of headers ?? []) {
    const first = name.charCodeAt(0);
    if (first < 0x41 || first > 0x5a) {
      fields[name] = decodeValue(values[0] ?? '');
    }
  }
  return fields;
}

export function encodeValue(value: string): string {
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

export function noteHeaders(): MsgHdrs {
  return emptyHeaders(CONTINUE, 'Continue');
}

export function isNote(message: Msg): boolean {
  return message.headers?.code === CONTINUE;
}
