import { describe, expect, it } from 'vitest';
import { LineLengths } from '../src/line-lengths.ts';

describe('the lengths of lines', () => {
  it('F24 tell one of the longest, the newest where it is one, whatever comes and goes', () => {
    const lengths = new LineLengths();
    const model = new Map<string, number>();
    // A generator of Lehmer's: the same steps each time.
    let state = 1;
    const random = (below: number) => {
      state = (state * 48_271) % 0x7f_ff_ff_ff;
      return state % below;
    };
    for (let step = 0; step < 20_000; step++) {
      const line = `line ${random(30)}`;
      const length = model.get(line) ?? 0;
      // More come at first, more go in the end.
      if (random(20_000) > step) {
        model.set(line, length + 1);
        lengths.grew(line, length + 1);
      } else if (length > 0) {
        model.set(line, length - 1);
        lengths.shrank(line, length - 1);
      }
      const longest = Math.max(0, ...model.values());
      const told = lengths.longest(line);
      if (longest === 0) {
        expect(told).toBeUndefined();
      } else {
        expect(model.get(told ?? '')).toBe(longest);
        expect(told === line).toBe(model.get(line) === longest);
      }
    }
    for (const [line, length] of model) {
      for (let left = length - 1; left >= 0; left--) {
        lengths.shrank(line, left);
      }
    }
    expect(lengths.longest('line 0')).toBeUndefined();
  });
});
