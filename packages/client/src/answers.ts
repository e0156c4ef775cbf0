import type { PeerResponse } from '@fosp/connection';
import { decodeText, ERRORS, type ErrorCode, type FospError, fospError } from '@fosp/protocol';

/** The JSON of a response that has some. A server that sends none, or none that can be read, is a `bad-gateway`. */
export function jsonBody<Shape>(response: PeerResponse): Shape {
  try {
    return JSON.parse(textBody(response));
  } catch {
    throw fospError('bad-gateway', 'the server answered with a body that is no JSON');
  }
}

export function textBody(response: PeerResponse): string {
  const text = decodeText(response.body);
  if (text === undefined) {
    throw fospError('bad-gateway', 'the server answered with a body that is no UTF-8');
  }
  return text;
}

/** A FAILED response as the error that the server meant. */
export function errorOf(response: PeerResponse): FospError {
  const { status, headers } = response.head;
  const { message, ...body } = failure(response);
  return fospError(codeOf(status), message ?? `the server answered ${status} without saying why`, { headers, body });
}

function failure(response: PeerResponse): { message?: string } & Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(decodeText(response.body) ?? '');
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}

function codeOf(status: number): ErrorCode {
  const codes = Object.keys(ERRORS) as ErrorCode[];
  return codes.find((code) => ERRORS[code].status === status) ?? (status >= 500 ? 'internal' : 'malformed');
}
