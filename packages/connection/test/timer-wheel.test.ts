import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TIMER_RESOLUTION_MS, TimerWheel } from '../src/index.ts';
import type { Timed } from '../src/timer-wheel.ts';
import { manualClock } from './manual-clock.ts';

/** Has one deadline, and notes when it was kept. */
class Alarm implements Timed {
  slot = -1;
  rangAt: number | undefined;
  readonly #wheel: TimerWheel;
  readonly #deadline: number;

  constructor(wheel: TimerWheel, deadline: number) {
    this.#wheel = wheel;
    this.#deadline = deadline;
    wheel.schedule(this, deadline);
  }

  wake(now: number): void {
    if (now >= this.#deadline) {
      this.rangAt = now;
    } else {
      this.#wheel.schedule(this, this.#deadline);
    }
  }
}

it('keeps every deadline, none early and none later than its resolution', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 200_000 }), { minLength: 1, maxLength: 30 }), (delays) => {
      const { timers, advance } = manualClock();
      timers.schedule(new Alarm(timers, 0), 0);
      const start = timers.time;
      const alarms = delays.map((delay) => new Alarm(timers, start + delay));
      advance(201);
      for (const [index, alarm] of alarms.entries()) {
        const late = (alarm.rangAt ?? Number.NaN) - start - (delays[index] ?? 0);
        expect(late).toBeGreaterThanOrEqual(0);
        expect(late).toBeLessThanOrEqual(TIMER_RESOLUTION_MS);
      }
    }),
  );
});

it('runs only while anything is scheduled', () => {
  const { timers, advance } = manualClock();
  expect(timers.isRunning).toBe(false);
  const alarm = new Alarm(timers, timers.time + 1000);
  expect(timers.isRunning).toBe(true);
  advance(2);
  expect(alarm.rangAt).toBeDefined();
  expect(timers.isRunning).toBe(false);
  const other = new Alarm(timers, timers.time + 1000);
  timers.cancel(other);
  expect(timers.isRunning).toBe(false);
  advance(2);
  expect(other.rangAt).toBeUndefined();
});

it('does not wake whom another one cancelled in the same moment, and goes on for all others', () => {
  const { timers, advance } = manualClock();
  const at = timers.time + 1000;
  const woken: string[] = [];
  const second: Timed = { slot: -1, wake: () => woken.push('second') };
  const first = () => {
    woken.push('first');
    timers.cancel(second);
  };
  timers.schedule({ slot: -1, wake: first }, at);
  timers.schedule(second, at);
  timers.schedule({ slot: -1, wake: () => woken.push('third') }, at);
  timers.schedule({ slot: -1, wake: () => woken.push('later') }, at + 2000);
  advance(5);
  expect(woken).toEqual(['first', 'third', 'later']);
  expect(timers.isRunning).toBe(false);
});

it('wakes everybody once after the process stood still for longer than the wheel goes round', () => {
  let now = 0;
  let tick = () => {};
  const timers = new TimerWheel({
    now: () => now,
    every: (_milliseconds, run) => {
      tick = run;
      return () => {};
    },
  });
  const alarms = [100, 20_000, 63_000].map((at) => new Alarm(timers, at));
  now = 10_000_000;
  tick();
  expect(alarms.map((alarm) => alarm.rangAt)).toEqual([now, now, now]);
  expect(timers.isRunning).toBe(false);
});
