import { isFospError } from '../src/index.ts';

/** The message of the `malformed` error that this throws; `undefined` where it throws none. Any other error passes. */
export function refusalOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (isFospError(error) && error.code === 'malformed') {
      return error.message;
    }
    throw error;
  }
}
