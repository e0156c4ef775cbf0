/** The three kinds of message, without their bodies (SPEC §4.1, PROTOCOL §2). */
import type { ResourceId } from './resource-id.ts';

/**
 * Headers by name, in the spelling that is sent: `Content-Type`, `File-Name`, `ETag`, `If-Match`, `User`, `From`, any
 * other with a capital at the start of each word. Decoded ones have no prototype.
 */
export type Headers = Readonly<Record<string, string>>;

export const NO_HEADERS: Headers = Object.freeze(Object.create(null));

/** What a client may ask. LIST is in SPEC §4.1.1, though the grammar of §4.2 forgot it. */
export const REQUEST_TYPES = [
  'CONNECT',
  'AUTHENTICATE',
  'REGISTER',
  'SELECT',
  'CREATE',
  'UPDATE',
  'DELETE',
  'LIST',
  'READ',
  'WRITE',
] as const;
export type RequestType = (typeof REQUEST_TYPES)[number];

/** What only servers ask each other, to be refused to clients (PROTOCOL §9, `ack` and `retire` of §10). */
export const SERVER_REQUEST_TYPES = ['VERIFY', 'ACK', 'RETIRE'] as const;
export type ServerRequestType = (typeof SERVER_REQUEST_TYPES)[number];

export const EVENT_TYPES = ['CREATED', 'UPDATED', 'DELETED'] as const;
export type EventType = (typeof EVENT_TYPES)[number];

export interface RequestHead {
  readonly kind: 'request';
  readonly type: RequestType | ServerRequestType;
  /** `undefined` for `*`. */
  readonly resource: ResourceId | undefined;
  /** 1 … 2^53-1. */
  readonly sequence: number;
  readonly headers: Headers;
}

export interface ResponseHead {
  readonly kind: 'response';
  readonly type: 'SUCCEEDED' | 'FAILED';
  readonly status: number;
  /** 0 where the request's could not be read, and then FAILED. */
  readonly sequence: number;
  readonly headers: Headers;
}

export interface NotificationHead {
  readonly kind: 'notification';
  readonly event: EventType;
  readonly resource: ResourceId;
  readonly headers: Headers;
}

export type Head = RequestHead | ResponseHead | NotificationHead;

export function isServerRequestType(type: RequestType | ServerRequestType): type is ServerRequestType {
  return type === 'VERIFY' || type === 'ACK' || type === 'RETIRE';
}
