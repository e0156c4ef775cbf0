export const TIMER_RESOLUTION_MS = 250;
/** One clock for all timeouts of all connections of a process. */
export declare class TimerWheel {
  constructor(options?: { now?: () => number; every?: (milliseconds: number, tick: () => void) => () => void });
}
