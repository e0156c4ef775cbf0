/**
 * A request of one of our users as it is sent to another domain's server, and that server's answer as our user gets it: as if
 * the object were kept here (PROTOCOL §9). What the other server says counts only as far as it is what such an answer may be.
 */
import type { PeerResponse } from '@fosp/connection';
import type { LinkExtensions } from '@fosp/exchange';
import {
  codeOfStatus,
  domainOf,
  type FospError,
  failedBody,
  fospError,
  type Headers,
  isFospError,
  isHeaderValue,
  isJsonText,
  NO_HEADERS,
  type RequestType,
  STATUS,
} from '@fosp/protocol';

/** What a user may ask of an object. */
export type ObjectRequestType = Exclude<RequestType, 'CONNECT' | 'AUTHENTICATE' | 'REGISTER'>;

export interface UserRequest {
  /** `name@domain`. */
  readonly user: string;
  readonly type: ObjectRequestType;
  readonly tree: string;
  readonly path: string;
  /** As the client sent them. */
  readonly headers: Headers;
}

export interface UserAnswer {
  readonly status: number;
  /** Those but `ETag`. */
  readonly headers: Headers;
  readonly etag: string | undefined;
  readonly body: Uint8Array;
}

const TYPES: Readonly<
  Record<ObjectRequestType, { readonly status: number; readonly body: 'object' | 'list' | 'none' }>
> = {
  SELECT: { status: STATUS.ok, body: 'object' },
  LIST: { status: STATUS.ok, body: 'list' },
  CREATE: { status: STATUS.created, body: 'none' },
  UPDATE: { status: STATUS.done, body: 'none' },
  DELETE: { status: STATUS.done, body: 'none' },
  READ: { status: STATUS.ok, body: 'none' },
  WRITE: { status: STATUS.done, body: 'none' },
};

const CONDITIONS = ['If-Match', 'If-None-Match'];
const PAGES = ['Limit', 'After'];
const OF_FILES = ['Content-Type', 'File-Name'];
const ANSWERED = ['Content-Type', 'File-Name', 'Next', 'Retry-After'];
const NO_BYTES = new Uint8Array(0);

/** Statuses by which the other server says something about us, not about what the user asked. */
const BETWEEN_SERVERS: ReadonlySet<number> = new Set([401, 421, 424, 505]);

export function objectRequestType(type: string): ObjectRequestType {
  if (!Object.hasOwn(TYPES, type)) {
    throw fospError('malformed', `${type} is no request on an object.`);
  }
  return type as ObjectRequestType;
}

/**
 * The headers of the request between servers.
 *
 * @throws FospError `bad-gateway` where the other side would ignore what the request depends on
 */
export function requestHeaders({ user, type, tree, headers }: UserRequest, { etag, page }: LinkExtensions): Headers {
  const sent: Record<string, string> = { From: user, User: user };
  if (copy(headers, CONDITIONS, sent) && !etag) {
    throw cannot(domainOf(tree), 'etag', 'the condition of this request cannot be kept');
  }
  if (type === 'LIST') {
    if (page) {
      copy(headers, PAGES, sent);
    } else if (headers['After'] !== undefined) {
      throw cannot(domainOf(tree), 'page', 'lists come as a whole: ask without After');
    }
  } else if (type === 'WRITE') {
    copy(headers, OF_FILES, sent);
  }
  return sent;
}

/** @throws FospError `bad-gateway` where the other server's answer is none */
export function answerOf(request: UserRequest, { head, body }: PeerResponse): UserAnswer {
  const domain = domainOf(request.tree);
  const answered: Record<string, string> = {};
  const headers = copy(head.headers, ANSWERED, answered) ? answered : NO_HEADERS;
  const tag = head.headers['ETag'];
  const etag = tag !== undefined && isHeaderValue(tag) ? tag : undefined;
  const wanted = TYPES[request.type];
  if (head.type === 'SUCCEEDED') {
    if (head.status < 200 || head.status > 299) {
      throw nonsense(domain, `the status ${head.status} of a success`);
    }
    return {
      status: wanted.status,
      headers,
      etag,
      body: wanted.body === 'none' ? NO_BYTES : checked(body, domain, wanted.body),
    };
  }
  if (BETWEEN_SERVERS.has(head.status)) {
    throw fospError('bad-gateway', `The server of ${domain} does not serve this one: it answered ${head.status}.`);
  }
  const code = codeOfStatus(head.status);
  if (code === undefined) {
    throw nonsense(domain, `the status ${head.status} of a failure`);
  }
  if (code === 'not-modified') {
    return { status: head.status, headers, etag, body: NO_BYTES };
  }
  return { status: head.status, headers, etag, body: explanation(body) ?? explanationOf(fospError(code, NO_REASON)) };
}

/** What our user is told where there was no answer. The request was sent, so nobody knows whether it was carried out. */
export function failureOf(domain: string, error: unknown): unknown {
  if (!isFospError(error)) {
    return error;
  }
  const unknown = 'It is not known whether the request was carried out.';
  switch (error.code) {
    case 'timeout':
      return fospError('bad-gateway', `The server of ${domain} did not answer in time. ${unknown}`);
    case 'unreachable':
      return fospError('bad-gateway', `The connection to ${domain} broke before the answer came. ${unknown}`);
    case 'too-large':
      return fospError('bad-gateway', `The answer of ${domain} is too large for this server.`);
    default:
      return error;
  }
}

const NO_REASON = 'The other server gave no reason.';

function cannot(domain: string, extension: string, text: string): FospError {
  return fospError('bad-gateway', `The server of ${domain} does not know the extension ${extension}: ${text}.`);
}

function nonsense(domain: string, what: string): FospError {
  return fospError('bad-gateway', `The server of ${domain} answered with ${what}, which is none.`);
}

/** Copies those that may be sent on: what another server says may not be what we may say. @returns whether there was any */
function copy(from: Headers, names: readonly string[], to: Record<string, string>): boolean {
  let isAny = false;
  for (const name of names) {
    const value = from[name];
    if (value !== undefined && isHeaderValue(value)) {
      to[name] = value;
      isAny = true;
    }
  }
  return isAny;
}

/** Clients may not live through what is no UTF-8, and rely on JSON. */
function checked(body: Uint8Array, domain: string, kind: 'object' | 'list'): Uint8Array {
  if (!isJsonText(body, kind === 'list' ? 'array' : 'object')) {
    throw nonsense(domain, `a body that is no ${kind}`);
  }
  return body;
}

function explanation(body: Uint8Array): Uint8Array | undefined {
  return isJsonText(body, 'object') ? body : undefined;
}

function explanationOf(error: FospError): Uint8Array {
  return Buffer.from(failedBody(error));
}
