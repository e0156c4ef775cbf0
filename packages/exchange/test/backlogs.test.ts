import { describe, expect, it } from 'vitest';
import { Backlogs } from '../src/backlogs.ts';

describe('those who wait for their readers', () => {
  it('F13 are asked until they say no, and again where they fall behind as they go on', async () => {
    const backlogs = new Backlogs(1);
    const answers = [true, true, false, true, false];
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = {
      isBacklogged: () => {
        const isBehind = answers.shift() ?? false;
        if (answers.length === 2) {
          backlogs.watch(waiting);
        }
        if (answers.length === 0) {
          resolve();
        }
        return isBehind;
      },
    };
    // The timer does not keep the process.
    const alive = setInterval(() => undefined, 1000);
    backlogs.watch(waiting);
    await promise;
    clearInterval(alive);
    expect(answers).toEqual([]);
  });

  it('F13 are not asked once they are forgotten, be it by another one', async () => {
    const backlogs = new Backlogs(1);
    const asked: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const second = {
      isBacklogged: () => {
        asked.push('second');
        return true;
      },
    };
    const first = {
      isBacklogged: () => {
        asked.push('first');
        backlogs.forget(second);
        if (asked.length === 3) {
          resolve();
        }
        return asked.length < 3;
      },
    };
    const alive = setInterval(() => undefined, 1000);
    backlogs.watch(first);
    backlogs.watch(second);
    await promise;
    clearInterval(alive);
    expect(asked).toEqual(['first', 'first', 'first']);
  });
});
