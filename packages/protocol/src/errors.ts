/**
 * What can go wrong, in one catalogue, and the error that carries it (PROTOCOL §8).
 *
 * A `FospError` is an ordinary result, made for every "no such object" and "no right", and its text goes to the client.
 * So it is a plain object that inherits from `Error` without running its constructor: capturing a stack would cost
 * twenty times as much and would only ever show our own checks. What is a defect keeps its stack in `cause`.
 * It is recognised by its code, not by `instanceof`, since it crosses processes.
 */
import { type Headers, NO_HEADERS } from './message.ts';

interface ErrorKind {
  /** Status of the FAILED response. */
  readonly status: number;
  /** The same request may go well later. What changes something may have taken effect all the same (408, 502, 504). */
  readonly retryable: boolean;
  /** What to tell anybody when there is nothing better to say. */
  readonly text: string;
}

export const ERRORS = {
  'not-modified': { status: 304, retryable: false, text: 'Not modified.' },
  malformed: { status: 400, retryable: false, text: 'The message is malformed.' },
  unauthenticated: { status: 401, retryable: false, text: 'Authenticate first.' },
  forbidden: { status: 403, retryable: false, text: 'You have no right to do this.' },
  'not-found': { status: 404, retryable: false, text: 'There is no such object or attachment.' },
  'not-allowed': { status: 405, retryable: false, text: 'This cannot be done to this object.' },
  timeout: { status: 408, retryable: true, text: 'This took too long.' },
  exists: { status: 409, retryable: false, text: 'It exists already.' },
  'precondition-failed': { status: 412, retryable: false, text: 'A precondition of the request does not hold.' },
  'too-large': { status: 413, retryable: false, text: 'The message is too large.' },
  'wrong-server': { status: 421, retryable: false, text: 'This server is not responsible for that domain.' },
  'not-connected': { status: 424, retryable: false, text: 'Send CONNECT first.' },
  'too-many': { status: 429, retryable: true, text: 'Too many requests. Try again later.' },
  internal: { status: 500, retryable: false, text: 'Something went wrong in the server.' },
  'bad-gateway': { status: 502, retryable: true, text: 'The other server failed.' },
  unavailable: { status: 503, retryable: true, text: 'The server cannot do this now. Try again later.' },
  unreachable: { status: 504, retryable: true, text: 'The other server cannot be reached.' },
  version: { status: 505, retryable: false, text: 'This version of FOSP is not supported.' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;

/** Statuses of SUCCEEDED responses. */
export const STATUS = { ok: 200, created: 201, done: 204 } as const;

export interface FospErrorOptions {
  /** Headers of the FAILED response, such as `Retry-After`. */
  readonly headers?: Headers;
  /** Members of the FAILED body beside `message`. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** What caused it; for the log, never for the client. */
  readonly cause?: unknown;
}

/** An error whose text is safe to show to any client. It has no stack. Made by `fospError`. */
export class FospError implements Error {
  readonly name = 'FospError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly message: string;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
  readonly cause: unknown;

  constructor(code: ErrorCode, message: string, options: FospErrorOptions = NO_OPTIONS) {
    this.code = code;
    this.status = ERRORS[code].status;
    this.message = message;
    this.headers = options.headers ?? NO_HEADERS;
    this.body = options.body ?? NO_BODY;
    this.cause = options.cause;
  }
}
Object.setPrototypeOf(FospError.prototype, Error.prototype);

const NO_OPTIONS: FospErrorOptions = Object.freeze({});
const NO_BODY: Readonly<Record<string, unknown>> = Object.freeze({});

/**
 * An error to be answered to the client.
 *
 * @param message plain words: what was wrong, in which field or where, which limit, what to do
 */
export function fospError(code: ErrorCode, message: string, options?: FospErrorOptions): FospError {
  return new FospError(code, message, options);
}

/** Whether this is a `FospError`, of this or any other process or version of this package. */
export function isFospError(error: unknown): error is FospError {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    isErrorCode(error.code) &&
    'status' in error &&
    error.status === ERRORS[error.code].status
  );
}

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code);
}

/** The code of a FAILED response's status, `undefined` where the catalogue does not know it. */
export function codeOfStatus(status: number): ErrorCode | undefined {
  return CODES.get(status);
}

const CODES: ReadonlyMap<number, ErrorCode> = new Map(
  Object.keys(ERRORS)
    .filter(isErrorCode)
    .map((code) => [ERRORS[code].status, code]),
);

/** The body of a FAILED response: `{"message": "…"}` and the error's own members; `''` for 304, which has none (PROTOCOL §8, §10). */
export function failedBody(error: FospError): string {
  return error.code === 'not-modified' ? '' : JSON.stringify({ message: error.message, ...error.body });
}
