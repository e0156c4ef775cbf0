import fc from 'fast-check';
import { expect, it } from 'vitest';
import { backOff } from '../src/index.ts';

it.each([
  [1, 0, 50],
  [1, 0.5, 75],
  [2, 0, 100],
  [3, 0, 200],
  [100, 0, 5_000],
  [0, 0, 50],
])('after %i failures with randomness %d: %d ms', (failures, random, expected) => {
  expect(backOff(failures, random, { first: 100, longest: 10_000 })).toBe(expected);
});

it('never exceeds its longest pause and is never below half of what it grew to', () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), random, (failures, chance) => {
      const pause = backOff(failures, chance, { first: 10, longest: 60_000, factor: 3 });
      const whole = Math.min(60_000, 10 * 3 ** (failures - 1));
      expect(pause).toBeGreaterThanOrEqual(whole / 2);
      expect(pause).toBeLessThanOrEqual(60_000);
    }),
  );
});
