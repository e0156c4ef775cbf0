/**
 * What the headers of a request on an object must be: checked as part of the head, before anything else is (PROTOCOL §4).
 * A header counts where its extension is in force, or where its request has a use for it; else it is ignored.
 */
import {
  encodeHeaderText,
  type FospError,
  fospError,
  isHeaderValue,
  normalisePathPart,
  type RequestHead,
} from '@fosp/protocol';
import type { ObjectExtensions } from './party.ts';

/** Of a name, percent-encoded as READ sends it: with the other headers it must fit into a head. */
export const FILE_NAME_BYTES = 1024;
/** As many as UPDATE takes for `mime-type`. */
export const CONTENT_TYPE_CHARACTERS = 255;

const TAGS = /^(?:\*|(?:W\/)?"[\x21\x23-\x7e]*"(?:[ \t]*,[ \t]*(?:W\/)?"[\x21\x23-\x7e]*")*)$/;
const LIMIT = /^[1-9][0-9]{0,8}$/;

/** What is wrong with a header, naming it; it does not count as a bad message, since head and sequence number could be read. */
export function headerRefusal({ type, headers }: RequestHead, extensions: ObjectExtensions): FospError | undefined {
  const wrong =
    (extensions.etag ? wrongTags('If-Match', headers['If-Match']) : undefined) ??
    (extensions.etag ? wrongTags('If-None-Match', headers['If-None-Match']) : undefined) ??
    (extensions.page && type === 'LIST' ? wrongPage(headers['Limit'], headers['After']) : undefined) ??
    (type === 'WRITE' ? wrongFile(headers['Content-Type'], headers['File-Name']) : undefined);
  return wrong === undefined ? undefined : fospError('malformed', wrong);
}

/** The name that `After` stands for; undefined where it stands for none. */
export function nameAfter(value: string): string | undefined {
  try {
    return normalisePathPart(decodeURIComponent(value));
  } catch {
    return undefined;
  }
}

function wrongTags(name: string, value: string | undefined): string | undefined {
  return value === undefined || TAGS.test(value)
    ? undefined
    : `The header ${name} must be * or a list of quoted tags, as in "12", "13".`;
}

function wrongPage(limit: string | undefined, after: string | undefined): string | undefined {
  if (limit !== undefined && !LIMIT.test(limit)) {
    return 'The header Limit must be a whole number from 1 to 999999999.';
  }
  if (after !== undefined && nameAfter(after) === undefined) {
    return 'The header After must be the name of a child, percent-encoded once, as Next gives it: the name a%2Fb is sent as a%252Fb.';
  }
  return undefined;
}

/** Either may be empty, and then says nothing: so some clients send what they do not know. */
function wrongFile(type: string | undefined, name: string | undefined): string | undefined {
  if (type !== undefined && type !== '' && (!isHeaderValue(type) || type.length > CONTENT_TYPE_CHARACTERS)) {
    return `The header Content-Type must have ${CONTENT_TYPE_CHARACTERS} characters at most, and neither ": " nor control characters.`;
  }
  return name === undefined ? undefined : wrongFileName(name);
}

function wrongFileName(value: string): string | undefined {
  let name: string;
  try {
    name = decodeURIComponent(value);
  } catch {
    return 'The header File-Name must be percent-encoded UTF-8.';
  }
  return encodeHeaderText(name).length > FILE_NAME_BYTES
    ? `The header File-Name must have ${FILE_NAME_BYTES} bytes at most, percent-encoded.`
    : undefined;
}
