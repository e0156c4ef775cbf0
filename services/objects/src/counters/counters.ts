/** Counts events per key within a window of time, for limits on failures and registrations. */
import type { Soon } from '../store/store.ts';

export interface Count {
  /** Events in the running window. */
  readonly count: number;
  /** Milliseconds until the window ends and counting begins anew. */
  readonly resetsIn: number;
}

export interface Counters {
  /** Adds one event. */
  add(key: string): Soon<Count>;
  /** Without adding one. */
  read(key: string): Soon<Count>;
}
