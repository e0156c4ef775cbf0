import type { PeerHandler } from '@fosp/connection';

/** For all clients of a process or page together: bytes that arrived and were not taken. */
export const BUDGET_BYTES = 512 * 1024 * 1024;

export interface DialOptions {
  readonly handler: PeerHandler;
  /** Gives up connecting; an open connection does not care. */
  readonly signal: AbortSignal;
}
