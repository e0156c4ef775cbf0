/**
 * Errors of calls. A server's `FospError` crosses the bus as a reply: its code as a header, the rest as JSON in the body.
 * Where there is no reply, the caller gets a `FospError` all the same.
 */
import { ERRORS, type ErrorCode, type FospError, fospError } from '@fosp/protocol';
import type { BusError, BusMessage } from './transport.ts';

/** No field of any call may be called so. */
const ERROR_HEADER = 'bus-error';

interface ErrorDetails {
  readonly message: string;
  readonly headers?: FospError['headers'];
  readonly body?: FospError['body'];
}

/** Undefined where it is no error. A code which this version does not know counts as `internal`. */
export function errorCodeOf(reply: BusMessage): ErrorCode | undefined {
  const code = reply.headers[ERROR_HEADER];
  return code === undefined || isErrorCode(code) ? code : 'internal';
}

export function replyOfError(error: FospError): BusMessage {
  const details: ErrorDetails = { message: error.message, headers: error.headers, body: error.body };
  return { headers: { [ERROR_HEADER]: error.code }, body: Buffer.from(JSON.stringify(details), 'utf8') };
}

export function errorOfReply(reply: BusMessage, code: ErrorCode): FospError {
  const { message, headers = {}, body = {} }: ErrorDetails = JSON.parse(Buffer.from(reply.body).toString('utf8'));
  return fospError(code, message, { headers, body });
}

/** What a call that got no answer is to its caller; `retryAfter` in seconds. `undefined` where the handler broke its word. */
export function noAnswer(error: BusError, retryAfter: number): FospError | undefined {
  switch (error.code) {
    case 'deadline':
      return fospError('timeout', 'This took too long; it may or may not have been done.');
    case 'too-large':
      return fospError('too-large', error.message);
    case 'failed':
      return undefined;
    case 'no-responders':
    case 'overloaded':
    case 'closed': {
      const headers = { 'Retry-After': String(retryAfter) };
      return fospError('unavailable', 'This part of the server cannot answer now. Try again later.', {
        headers,
        cause: error,
      });
    }
  }
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}
