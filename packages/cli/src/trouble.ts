/** What can go wrong with one file or object of many, and whether to skip it, try it again, or give up. */
import { setTimeout as pause } from 'node:timers/promises';
import { isFospError } from '@fosp/client';

/** Statuses that say something about this one object, and not about the server or the whole. */
const OF_THIS_OBJECT: readonly number[] = [400, 403, 404, 405, 413];
/** Errors of the file system about this one file. */
const OF_THIS_FILE: readonly unknown[] = [
  'EACCES',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'ENOENT',
  'ENOTDIR',
  'EPERM',
  'ETXTBSY',
];

const ATTEMPTS = 5;
const LONGEST_PAUSE_SECONDS = 30;

/** Why to skip it, where that is what to do. */
export function reasonToSkip(error: unknown): string | undefined {
  if (isFospError(error)) {
    return OF_THIS_OBJECT.includes(error.status) ? `${error.message} (${error.status})` : undefined;
  }
  return error instanceof Error && 'code' in error && OF_THIS_FILE.includes(error.code) ? error.message : undefined;
}

/**
 * Does something that may be done twice: again where the connection was lost meanwhile (the client opens it again), where
 * somebody else created the object first, or where the server asked to come back later. `repeated` tells that the object may
 * be there by now.
 */
export async function persistently(work: (repeated: boolean) => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt > 1);
    } catch (error) {
      if (attempt === ATTEMPTS || !isFospError(error)) {
        throw error;
      }
      if (error.code === 'too-many' || error.code === 'unavailable') {
        const seconds = Number(error.headers['Retry-After'] ?? 1);
        await pause(Math.min(LONGEST_PAUSE_SECONDS, Number.isFinite(seconds) ? seconds : 1) * 1000);
      } else if (error.code !== 'unreachable' && error.code !== 'exists') {
        throw error;
      }
    }
  }
}
