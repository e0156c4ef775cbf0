/** Reading a body field by field, with errors that name the field (PROTOCOL §4). */
import { type FospError, fospError, isFospError } from './errors.ts';
import { elements, members, stringOf } from './json.ts';
import { quote } from './quote.ts';
import { parseUserId } from './resource-id.ts';

/** A 400 that names the field: `acl.users["bob@x"][0]: there is no right "fly".` */
export function malformedField(field: string, problem: string): FospError {
  return fospError('malformed', `${field}: ${problem}.`);
}

export function memberField(field: string, name: string): string {
  return `${field}[${quote(name)}]`;
}

/** @throws malformed where the value is no object */
export function membersAt(raw: string, field: string): Map<string, string> {
  const found = members(raw);
  if (found === undefined) {
    throw malformedField(field, 'must be an object');
  }
  return found;
}

/** @throws malformed where the value is no array */
export function elementsAt(raw: string, field: string): string[] {
  const found = elements(raw);
  if (found === undefined) {
    throw malformedField(field, 'must be an array');
  }
  return found;
}

/** @throws malformed where the value is no string */
export function stringAt(raw: string, field: string): string {
  const found = stringOf(raw);
  if (found === undefined) {
    throw malformedField(field, 'must be a string');
  }
  return found;
}

/**
 * The normalised form of a user's name.
 * @throws malformed, naming the field
 */
export function userAt(name: string, field: string): string {
  try {
    return parseUserId(name);
  } catch (error) {
    throw isFospError(error) ? fospError('malformed', `${field}: ${error.message}`) : error;
  }
}
