/** The first line of a message, which decides its kind (SPEC §4.2, PROTOCOL §2). */
import { isFospError } from './errors.ts';
import {
  EVENT_TYPES,
  type EventType,
  type Head,
  type Headers,
  REQUEST_TYPES,
  type RequestHead,
  type ResponseHead,
  SERVER_REQUEST_TYPES,
} from './message.ts';
import { quote } from './quote.ts';
import { parseResourceId, type ResourceId } from './resource-id.ts';

type Start =
  | { readonly kind: 'request'; readonly type: RequestHead['type'] }
  | { readonly kind: 'response'; readonly type: ResponseHead['type'] }
  | { readonly kind: 'notification'; readonly event: EventType };

const STARTS: ReadonlyMap<string, Start> = new Map<string, Start>([
  ...[...REQUEST_TYPES, ...SERVER_REQUEST_TYPES].map((type): [string, Start] => [type, { kind: 'request', type }]),
  ...EVENT_TYPES.map((event): [string, Start] => [event, { kind: 'notification', event }]),
  ['SUCCEEDED', { kind: 'response', type: 'SUCCEEDED' }],
  // As the grammar of SPEC §4.2 spells it.
  ['SUCCEDED', { kind: 'response', type: 'SUCCEEDED' }],
  ['FAILED', { kind: 'response', type: 'FAILED' }],
]);

/**
 * Reads the start line, which ends before `lineEnd`.
 *
 * @returns the head with these headers, or what is wrong with the line
 */
export function readStartLine(text: string, lineEnd: number, headers: Headers): Head | string {
  const typeEnd = endOfToken(text, 0, lineEnd);
  const token = text.slice(0, typeEnd);
  const start = STARTS.get(token);
  switch (start?.kind) {
    case 'request': {
      const resourceEnd = endOfToken(text, typeEnd + 1, lineEnd);
      const sequence = readNumber(text, resourceEnd + 1, lineEnd);
      if (sequence < 1) {
        return `Start line: one space, a resource or "*", one space and a number from 1 to 2^53-1 must follow ${token}.`;
      }
      const id = text.slice(typeEnd + 1, resourceEnd);
      const resource = id === '*' ? undefined : readResource(id);
      return typeof resource === 'string'
        ? resource
        : { kind: 'request', type: start.type, resource, sequence, headers };
    }
    case 'response': {
      const statusEnd = endOfToken(text, typeEnd + 1, lineEnd);
      const status = readNumber(text, typeEnd + 1, statusEnd);
      const sequence = readNumber(text, statusEnd + 1, lineEnd);
      // 0 answers a request whose number could not be read.
      return status < 1 || sequence < (start.type === 'FAILED' ? 0 : 1)
        ? `Start line: one space, a status, one space and a number up to 2^53-1 must follow ${token}.`
        : { kind: 'response', type: start.type, status, sequence, headers };
    }
    case 'notification': {
      const resource = readResource(text.slice(typeEnd + 1, lineEnd));
      return typeof resource === 'string' ? resource : { kind: 'notification', event: start.event, resource, headers };
    }
    case undefined:
      return `Start line: ${quote(token)} is no type of message. Types are in capitals, one space follows them.`;
  }
}

/** Where the token that begins at `from` ends: at a space, or with the line. */
function endOfToken(text: string, from: number, lineEnd: number): number {
  const space = text.indexOf(' ', from);
  return space < 0 || space > lineEnd ? lineEnd : space;
}

const ZERO = 0x30;
const NINE = 0x39;

/** A decimal number up to 2^53-1, leading zeros allowed; -1 for anything else. */
export function readNumber(text: string, from: number, end: number): number {
  let number = from < end ? 0 : -1;
  for (let at = from; at < end; at++) {
    const code = text.charCodeAt(at);
    number = number * 10 + (code - ZERO);
    if (code < ZERO || code > NINE || number > Number.MAX_SAFE_INTEGER) {
      return -1;
    }
  }
  return number;
}

/** @returns the id, or what is wrong with it */
function readResource(id: string): ResourceId | string {
  try {
    return parseResourceId(id);
  } catch (error) {
    if (isFospError(error)) {
      return error.message;
    }
    throw error;
  }
}
