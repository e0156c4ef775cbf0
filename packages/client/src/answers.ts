import type { PeerResponse } from '@fosp/connection';
import { codeOfStatus, decodeText, type FospError, fospError } from '@fosp/protocol';

/** The text of a response. A server that sends none that can be read is a `bad-gateway`. */
export function textBody(response: PeerResponse): string {
  const text = decodeText(response.body);
  if (text === undefined) {
    throw fospError('bad-gateway', 'The server answered with a body that is no UTF-8.');
  }
  return text;
}

/** The JSON of a response, not checked further: what a server says is what its users get. */
export function parsed<Shape>(text: string): Shape {
  try {
    return JSON.parse(text);
  } catch {
    throw fospError('bad-gateway', 'The server answered with a body that is no JSON.');
  }
}

/** The members of a JSON object; none where it is none. */
export function membersOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** A FAILED response as the error that the server meant. A status that the catalogue lacks counts as 400 or 500. */
export function errorOf(response: PeerResponse): FospError {
  const { status, headers } = response.head;
  const { message, ...body } = failure(response);
  const code = codeOfStatus(status) ?? (status >= 500 ? 'internal' : 'malformed');
  const text = typeof message === 'string' ? message : `The server answered ${status} without saying why.`;
  return fospError(code, text, { headers, body });
}

function failure(response: PeerResponse): Record<string, unknown> {
  try {
    return membersOf(JSON.parse(decodeText(response.body) ?? ''));
  } catch {
    return {};
  }
}
