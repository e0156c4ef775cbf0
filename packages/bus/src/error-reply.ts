/** How a server's `FospError` crosses the bus: its code as a header, the rest as JSON in the body of the reply. */
import { ERRORS, type ErrorCode, type FospError, fospError } from '@fosp/protocol';
import type { BusMessage } from './transport.ts';

/** No field of any call may be called so. */
const ERROR_HEADER = 'bus-error';

interface ErrorDetails {
  readonly message: string;
  readonly headers?: FospError['headers'];
  readonly body?: FospError['body'];
}

export function isErrorReply(reply: BusMessage): boolean {
  return reply.headers[ERROR_HEADER] !== undefined;
}

export function replyOfError(error: FospError): BusMessage {
  const details: ErrorDetails = { message: error.message, headers: error.headers, body: error.body };
  return { headers: { [ERROR_HEADER]: error.code }, body: Buffer.from(JSON.stringify(details), 'utf8') };
}

/** A code which this version does not know, from a newer server, counts as `internal`. */
export function errorOfReply(reply: BusMessage): FospError {
  const code = reply.headers[ERROR_HEADER] ?? '';
  const { message, headers = {}, body = {} }: ErrorDetails = JSON.parse(Buffer.from(reply.body).toString('utf8'));
  return fospError(isErrorCode(code) ? code : 'internal', message, { headers, body });
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}
