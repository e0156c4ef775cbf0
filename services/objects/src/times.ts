/** `btime` and `mtime` of objects (SPEC §5.4): ISO 8601, UTC, in milliseconds. */
import type { StoredObject } from './store/store.ts';

/** @param now milliseconds since the epoch */
export function timeOf(now: number): string {
  return new Date(now).toISOString();
}

/**
 * The `mtime` of an object that changes `now`: later than the one it had, so that whoever compares the two sees that it
 * changed, also where changes come within one millisecond or the clock went back.
 */
export function mtimeAfter({ mtime }: StoredObject, now: number): string {
  return timeOf(Math.max(now, Date.parse(mtime) + 1));
}
