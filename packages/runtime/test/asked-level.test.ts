import { describe, expect, it } from 'vitest';
import { AskedLevel } from '../src/index.ts';

/** Never in time: nobody waits. */
const NO_WAIT = 1;
const LONG = 60_000;

describe('AskedLevel', () => {
  it('gives the answer that comes in time, and asks again no sooner than the pause', async () => {
    let now = 0;
    let waiting = 7;
    const level = new AskedLevel(async () => waiting, { wait: LONG, pause: 1_000, keep: LONG, now: () => now });
    expect(await level.latest()).toBe(7);
    waiting = 8;
    now = 999;
    expect(await level.latest()).toBe(7);
    now = 1_000;
    expect(await level.latest()).toBe(8);
  });

  it('asks once for all who read meanwhile', async () => {
    let asked = 0;
    const answer = Promise.withResolvers<number>();
    const ask = () => {
      asked++;
      return answer.promise;
    };
    const level = new AskedLevel(ask, { wait: LONG, pause: 0 });
    const all = Promise.all([level.latest(), level.latest(), level.latest()]);
    answer.resolve(3);
    expect(await all).toEqual([3, 3, 3]);
    expect(asked).toBe(1);
  });

  it('gives the last answer where the next is late, and none once that is too old', async () => {
    let now = 0;
    const answers = [Promise.resolve(5), new Promise<number>(() => undefined)];
    const ask = () => answers.shift() ?? Promise.reject(new Error('asked while a question is under way'));
    const level = new AskedLevel(ask, { wait: NO_WAIT, pause: 1_000, keep: 60_000, now: () => now });
    expect(await level.latest()).toBe(5);
    now = 60_000;
    expect(await level.latest()).toBe(5);
    now = 60_001;
    expect(await level.latest()).toBeUndefined();
  });

  it('gives the last answer where a question fails, and a new one once it does not', async () => {
    let now = 0;
    const answers = [Promise.resolve(1), Promise.reject(new Error('away')), Promise.resolve(2)];
    const level = new AskedLevel(() => answers.shift() ?? Promise.resolve(0), {
      wait: LONG,
      pause: 10,
      now: () => now,
    });
    expect(await level.latest()).toBe(1);
    now = 10;
    expect(await level.latest()).toBe(1);
    now = 20;
    expect(await level.latest()).toBe(2);
  });

  it('has none before the first answer', async () => {
    const level = new AskedLevel(() => Promise.reject(new Error('away')));
    expect(await level.latest()).toBeUndefined();
  });
});
