import { describe, expect, it } from 'vitest';
import { KeyedRate } from '../src/index.ts';

describe('a rate per key', () => {
  it('F58 allows the burst at once, and then no more than it earns', () => {
    const rate = new KeyedRate({ perSecond: 10, burst: 30 }, 10);
    const taken = (now: number) => Array.from({ length: 5 }, () => rate.take('queen', 10, now));
    expect(taken(0)).toEqual([true, true, true, false, false]);
    expect(taken(1000)).toEqual([true, false, false, false, false]);
    expect(taken(3500)).toEqual([true, true, false, false, false]);
    expect(taken(1_000_000)).toEqual([true, true, true, false, false]);
  });

  it('F58 holds each key to a rate of its own', () => {
    const rate = new KeyedRate({ perSecond: 1, burst: 1 }, 10);
    expect([rate.take('a', 1, 0), rate.take('b', 1, 0), rate.take('a', 1, 0)]).toEqual([true, true, false]);
  });

  it('F58 forgets the key that was not used for longest when there are too many', () => {
    const rate = new KeyedRate({ perSecond: 1, burst: 1 }, 2);
    for (const key of ['a', 'b', 'a', 'c']) {
      rate.take(key, 1, 0);
    }
    expect([rate.take('a', 1, 0), rate.take('b', 1, 0)]).toEqual([false, true]);
  });

  it('lets what happened be paid later, and nothing else until then', () => {
    const rate = new KeyedRate({ perSecond: 10, burst: 30 }, 10);
    expect([rate.spend('a', 20, 0), rate.spend('a', 30, 0), rate.spend('b', 30, 0)]).toEqual([true, false, true]);
    expect([rate.spend('a', 0, 1900), rate.take('a', 1, 1900), rate.spend('a', 0, 2000)]).toEqual([false, false, true]);
  });

  it('F58 is not confused by a clock that goes back', () => {
    const rate = new KeyedRate({ perSecond: 1, burst: 2 }, 2);
    expect([rate.take('a', 1, 5000), rate.take('a', 1, 0), rate.take('a', 1, 0)]).toEqual([true, true, false]);
  });
});
