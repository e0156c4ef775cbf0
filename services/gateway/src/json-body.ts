import { decodeText, fospError } from '@fosp/protocol';

/** Members of the JSON object that is the body of CONNECT, AUTHENTICATE, REGISTER: the only bodies the gateway reads. */
export type Members = Readonly<Record<string, unknown>>;

/** @throws FospError `malformed` where the body is not one JSON object in UTF-8 */
export function parseMembers(body: Uint8Array): Members {
  const text = decodeText(body);
  if (text === undefined) {
    throw fospError('malformed', 'The body is not valid UTF-8.');
  }
  const value = parse(text);
  if (!isMembers(value)) {
    throw fospError('malformed', 'The body must be a JSON object.');
  }
  return value;
}

/** @throws FospError `malformed` where the member is missing or no string */
export function stringMember(members: Members, name: string): string {
  const value = members[name];
  if (typeof value !== 'string') {
    throw fospError('malformed', `"${name}" must be given, as a string.`);
  }
  return value;
}

/** The parser's own message may quote the text, passwords included: it is left out. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw fospError('malformed', 'The body is not valid JSON.');
  }
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
