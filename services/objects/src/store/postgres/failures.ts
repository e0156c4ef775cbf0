/** What may go wrong between this process and the database, told apart by what may be done about it. */
import { type FospError, fospError } from '@fosp/protocol';
import type { UnknownOutcome } from '../unknown-outcome.ts';

/** An error of the database, or of the connection to it. */
export class DatabaseFailure extends Error {
  /** SQLSTATE; undefined where the connection broke, or never came about. */
  readonly code: string | undefined;

  constructor(message: string, options: { readonly code?: string; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'DatabaseFailure';
    this.code = options.code;
  }

  /** Whether the connection is of no more use; what it was doing is unknown. */
  get isLost(): boolean {
    return this.code === undefined;
  }
}

/** More waits than may. */
export class Overload extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Overload';
  }
}

/** What the server says of statements after one that failed. */
export const SKIPPED = '25P02';

/** Chosen as a victim of a deadlock, or not serialisable: the same may well succeed now. */
const REPEATABLE: ReadonlySet<string> = new Set(['40001', '40P01']);

/**
 * Of the machine or its operator, and may pass: no connections, no resources, a lock or a statement that took too long, a
 * standby, an internal error of the disk.
 */
const PASSING = /^(08|25006|25P03|40|53|55P03|57|58)/;

/** Whether what failed may be tried again at once, on another connection where this one is lost. */
export function isRepeatable(error: unknown): boolean {
  return error instanceof DatabaseFailure && (error.code === undefined || REPEATABLE.has(error.code));
}

/** Whether it was not run, since another statement of its transaction had failed. */
export function isSkipped(error: unknown): boolean {
  return error instanceof DatabaseFailure && error.code === SKIPPED;
}

/** Whether it says nothing about the request, and is answered with 503. */
export function isPassing(error: unknown): boolean {
  return error instanceof Overload || (error instanceof DatabaseFailure && PASSING.test(error.code ?? '08'));
}

/** @param retryAfter seconds */
export function unavailable(retryAfter: number, cause?: unknown): FospError {
  const headers = { 'Retry-After': String(retryAfter) };
  return fospError('unavailable', 'The server cannot reach its data at the moment; nothing was changed.', {
    headers,
    cause,
  });
}

/** @param retryAfter seconds */
export function unknownOutcome(retryAfter: number, cause: UnknownOutcome): FospError {
  const headers = { 'Retry-After': String(retryAfter) };
  const message =
    'The connection to the database broke while this was being stored: it may have been done or not. Look before you repeat it.';
  return fospError('unavailable', message, { headers, cause });
}
