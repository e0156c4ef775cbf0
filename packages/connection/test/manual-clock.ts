import { TIMER_RESOLUTION_MS, TimerWheel } from '../src/index.ts';

/** A clock that a test sets, and the wheel that goes by it. */
export interface ManualClock {
  readonly timers: TimerWheel;
  /** Lets so much time pass, tick by tick, whatever the real clock says. */
  advance(seconds: number): void;
}

export function manualClock(): ManualClock {
  const running = new Set<() => void>();
  let now = 1_000_000;
  const timers = new TimerWheel({
    now: () => now,
    every: (_milliseconds, tick) => {
      running.add(tick);
      return () => running.delete(tick);
    },
  });
  return {
    timers,
    advance(seconds) {
      for (let passed = 0; passed < seconds * 1000; passed += TIMER_RESOLUTION_MS) {
        now += TIMER_RESOLUTION_MS;
        for (const tick of [...running]) {
          tick();
        }
      }
    },
  };
}
