/**
 * What PROTOCOL promises about every message a server sends, whatever the request: frame kinds (§1), statuses and
 * bodies (§4, §8), the shape of a shown object (§5, §6). Each response and notification of a whole run passes here, so
 * that no case has to repeat it. Silence means: nothing to complain about.
 */
import { type Notice, type Reply, utf8 } from './message.ts';

export interface Circumstances {
  /** The type of the request that is answered, where it is known. */
  readonly request: string | undefined;
  /** The extensions in force on the connection (§10). */
  readonly extensions: ReadonlySet<string>;
}

const STATUSES = new Set([
  200, 201, 204, 304, 400, 401, 403, 404, 405, 408, 409, 412, 413, 421, 424, 429, 500, 502, 503, 504, 505,
]);
const SUCCESS: ReadonlyMap<string, readonly number[]> = new Map([
  ['CONNECT', [200]],
  ['AUTHENTICATE', [200]],
  ['REGISTER', [200, 201]],
  ['SELECT', [200]],
  ['CREATE', [201]],
  ['UPDATE', [204]],
  ['DELETE', [204]],
  ['LIST', [200]],
  ['READ', [200]],
  ['WRITE', [204]],
]);
const EXTENSION_HEADERS = { ETag: 'etag', Next: 'page', Id: 'ack' };
const FIELDS = ['owner', 'btime', 'mtime', 'acl', 'subscriptions', 'attachment', 'type', 'data'];
const ACL_KEYS = ['owner', 'users', 'groups', 'other', 'others'];
const EVENTS = ['created', 'updated', 'deleted'];
const UTC = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z$/;

export function replyFaults(reply: Reply, { request, extensions }: Circumstances): string[] {
  const faults = [...reply.faults, ...extensionFaults(reply.headers, extensions)];
  const failed = reply.status >= 400 || reply.status === 304;
  if (!STATUSES.has(reply.status)) faults.push(`a status that is not in the list of §8: ${reply.status}`);
  if (failed !== (reply.type === 'FAILED')) faults.push(`${reply.type} with status ${reply.status}`);
  if ((reply.status === 429 || reply.status === 503) && !reply.headers.has('Retry-After')) {
    faults.push(`${reply.status} without Retry-After`);
  }
  faults.push(...frameFaults(reply, request));
  if (failed) return [...faults, ...failureFaults(reply)];
  if (reply.status === 204 && reply.body.length > 0) faults.push('204 with a body');
  const expected = request === undefined ? undefined : SUCCESS.get(request);
  if (expected && !expected.includes(reply.status)) faults.push(`${request} answered with ${reply.status}`);
  if (request === 'CREATE' && reply.body.length > 0) faults.push('a body in the answer to a CREATE');
  if (request === 'READ') faults.push(...fileFaults(reply));
  if (request === 'SELECT') faults.push(...viewFaults(reply.body));
  if (request === 'LIST') faults.push(...listFaults(reply.body));
  return faults;
}

export function noticeFaults(notice: Notice, extensions: ReadonlySet<string>): string[] {
  const faults = [...notice.faults, ...extensionFaults(notice.headers, extensions)];
  if (notice.frame !== 'text') faults.push('a notification in a binary frame');
  faults.push(...resourceFaults(notice.resource));
  if (notice.event !== 'DELETED') return [...faults, ...viewFaults(notice.body)];
  if (notice.body.length > 0) faults.push('DELETED with a body');
  return faults;
}

function extensionFaults(headers: ReadonlyMap<string, string>, extensions: ReadonlySet<string>): string[] {
  return Object.entries(EXTENSION_HEADERS)
    .filter(([name, extension]) => headers.has(name) && !extensions.has(extension))
    .map(([name, extension]) => `header ${name}, although the connection did not name the extension ${extension}`);
}

function frameFaults(reply: Reply, request: string | undefined): string[] {
  const file = request === 'READ' && reply.type === 'SUCCEEDED' && reply.body.length > 0;
  if (file && reply.frame === 'text') return ['a file in a text frame'];
  if (!file && reply.frame === 'binary' && request !== undefined) return [`${request} answered in a binary frame`];
  if (!file && reply.frame === 'text' && utf8(reply.body) === undefined) return ['a body that is not UTF-8'];
  return [];
}

function failureFaults(reply: Reply): string[] {
  if (reply.status === 304) return reply.body.length > 0 ? ['304 with a body'] : [];
  const body = parse(reply.body);
  const message = isRecord(body) ? body['message'] : undefined;
  if (typeof message !== 'string' || message.trim() === '') return ['FAILED without {"message": "…"}'];
  if (/\n\s+at .+:\d+/.test(message)) return ['a stack trace in the message'];
  return [];
}

function fileFaults(reply: Reply): string[] {
  const name = reply.headers.get('File-Name');
  if (name === undefined) return [];
  try {
    decodeURIComponent(name);
  } catch {
    return [`a File-Name that is not percent-encoded UTF-8: ${name}`];
  }
  return /^[!-~]+$/.test(name) ? [] : [`a File-Name that is not percent-encoded: ${name}`];
}

function listFaults(bytes: Buffer): string[] {
  const names = parse(bytes);
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string'))
    return ['LIST without a list of names'];
  const inOrder = names.every((name, index) => index === 0 || Buffer.compare(key(names[index - 1]), key(name)) < 0);
  if (!inOrder) return [`names out of byte order, or one twice: ${JSON.stringify(names).slice(0, 300)}`];
  return names.filter((name) => name === '' || name.includes('/') || name !== name.normalize('NFC'));
}

/** What is wrong with an object as shown to someone (§5, §6). */
export function viewFaults(bytes: Buffer): string[] {
  const view = parse(bytes);
  if (!isRecord(view)) return ['an object that is not a JSON object'];
  const faults: string[] = [];
  for (const [field, value] of Object.entries(view)) {
    if (!FIELDS.includes(field)) faults.push(`an unknown field in an object: ${field}`);
    if (value === null) faults.push(`"${field}": null instead of leaving it out`);
  }
  for (const field of ['btime', 'mtime']) {
    const time = view[field];
    if (typeof time !== 'string' || !UTC.test(time)) faults.push(`${field} is not ISO 8601 in UTC: ${String(time)}`);
  }
  const { owner, type, acl } = view;
  if (typeof owner !== 'string' || resourceFaults(`${owner}/`).length > 0) faults.push(`owner is ${String(owner)}`);
  if (type !== undefined && typeof type !== 'string') faults.push('type is not a string');
  if (acl !== undefined && (!isRecord(acl) || Object.keys(acl).some((name) => !ACL_KEYS.includes(name)))) {
    faults.push(`an acl with other members than ${ACL_KEYS.join(', ')}`);
  }
  return [...faults, ...subscriptionFaults(view['subscriptions']), ...attachmentFaults(view['attachment'])];
}

function subscriptionFaults(subscriptions: unknown): string[] {
  if (subscriptions === undefined || subscriptions === null) return [];
  if (!isRecord(subscriptions)) return ['subscriptions is not an object'];
  return Object.entries(subscriptions)
    .filter(([user, entry]) => !user.includes('@') || !isFlatEntry(entry))
    .map(([user, entry]) => `not a flat subscription {events, depth}: ${user}: ${JSON.stringify(entry)}`);
}

function isFlatEntry(entry: unknown): boolean {
  if (!isRecord(entry) || Object.keys(entry).length !== 2) return false;
  const { events, depth } = entry;
  return (
    Array.isArray(events) &&
    events.every((event) => EVENTS.includes(event)) &&
    Number.isInteger(depth) &&
    Number(depth) >= -1
  );
}

function attachmentFaults(attachment: unknown): string[] {
  if (attachment === undefined || attachment === null) return [];
  if (!isRecord(attachment)) return ['attachment is not an object'];
  const unknown = Object.keys(attachment).filter((name) => !['name', 'size', 'mime-type'].includes(name));
  const faults = unknown.map((name) => `an unknown member of attachment: ${name}`);
  if (!Number.isInteger(attachment['size']) || Number(attachment['size']) < 0)
    faults.push('attachment without its size');
  return faults;
}

function resourceFaults(resource: string): string[] {
  const parts = /^([^@/]+)@([^/]+)(\/.*)$/u.exec(resource);
  if (!parts) return [`a resource that is not user@domain/path: ${resource}`];
  const [, user = '', domain = '', path = ''] = parts;
  const normal = user === user.toLowerCase() && domain === domain.toLowerCase() && !domain.endsWith('.');
  const faults =
    normal && resource === resource.normalize('NFC') ? [] : [`a resource that is not normalised: ${resource}`];
  if (path !== '/' && path.endsWith('/')) faults.push(`a trailing slash: ${resource}`);
  return faults;
}

function key(name: unknown): Buffer {
  return Buffer.from(String(name));
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(utf8(bytes) ?? '');
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
