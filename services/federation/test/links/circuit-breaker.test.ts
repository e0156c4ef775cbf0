import { describe, expect, it } from 'vitest';
import { CircuitBreaker } from '../../src/links/circuit-breaker.ts';

function start() {
  const time = { now: 0 };
  const breaker = new CircuitBreaker({
    ...{ pauses: { first: 500, longest: 5000 }, outageSeconds: 900, longestPause: 60_000 },
    clock: () => time.now,
    random: () => 0.999_999,
  });
  return { time, breaker };
}

describe('a domain that cannot be reached', () => {
  it('F68 is tried after longer and longer pauses, short ones while it is away for a short while', () => {
    const { time, breaker } = start();
    const pauses = Array.from({ length: 6 }, () => {
      breaker.failed();
      return Math.round(breaker.pause);
    });
    expect(pauses).toEqual([500, 1000, 2000, 4000, 5000, 5000]);
    time.now += 901_000;
    breaker.failed();
    expect(breaker.pause).toBeGreaterThan(15_000);
  });

  it('F68 is worth a try at once when it gives a sign of life', () => {
    const { breaker } = start();
    breaker.failed(30_000);
    expect(breaker.pause).toBe(30_000);
    breaker.reset();
    expect([breaker.pause, breaker.failures]).toEqual([0, 0]);
  });
});
