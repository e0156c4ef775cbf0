/** The answer to what commits was lost: the write was done or not, and nobody here knows. */
import { isFospError } from '@fosp/protocol';

/** In the `cause` of the error that `Store.write` rejects with. */
export class UnknownOutcome extends Error {
  constructor(cause: unknown) {
    super('The answer to COMMIT was lost', { cause });
    this.name = 'UnknownOutcome';
  }
}

export function isOutcomeUnknown(error: unknown): boolean {
  return isFospError(error) && error.cause instanceof UnknownOutcome;
}
