import { describe, expect, it } from 'vitest';
import { Redials } from '../../src/links/redials.ts';

/** One turn at once, and another one as soon as a thousandth of a second has passed. */
function start(burst = 1) {
  const time = { now: 0 };
  const redials = new Redials({ rate: { perSecond: 1000, burst }, clock: () => time.now });
  const had: string[] = [];
  const turns = new Map<string, () => void>();
  const turnOf = (name: string) => {
    const turn = turns.get(name) ?? (() => void had.push(name));
    turns.set(name, turn);
    return turn;
  };
  const enter = (name: string, isGone = false) => redials.enter(turnOf(name), isGone);
  return { time, redials, had, enter, turnOf };
}

describe('domains that are away', () => {
  it('F68 are tried one after the other, each once for each time that it waits', async () => {
    const { time, had, enter } = start();
    for (const name of ['a', 'b', 'b', 'c']) {
      enter(name);
    }
    expect(had).toEqual(['a']);
    time.now = 1;
    await expect.poll(() => had).toEqual(['a', 'b']);
    enter('a');
    time.now = 2;
    await expect.poll(() => had).toEqual(['a', 'b', 'c']);
    time.now = 3;
    await expect.poll(() => had).toEqual(['a', 'b', 'c', 'a']);
  });

  it('F68 let none before them that comes later', () => {
    const { time, redials, enter } = start();
    enter('a');
    enter('b');
    time.now = 1;
    expect(redials.take()).toBe(false);
  });

  it('F68 that were there a while ago have every other turn, however many are gone', () => {
    const { had, redials, enter } = start();
    expect(redials.take()).toBe(true);
    for (const name of ['x', 'y', 'z']) {
      enter(name, true);
    }
    enter('a');
    enter('b');
    for (let turn = 0; turn < 5; turn++) {
      redials.giveBack();
    }
    expect(had).toEqual(['a', 'x', 'b', 'y', 'z']);
  });

  it('F68 are all tried at once where each is there again', () => {
    const { redials, had, turnOf } = start();
    expect(redials.take()).toBe(true);
    const names = Array.from({ length: 100 }, (_, at) => `${at}`);
    for (const name of names) {
      redials.enter(() => {
        turnOf(name)();
        redials.giveBack();
      }, false);
    }
    expect(had).toEqual([]);
    redials.giveBack();
    expect(had).toEqual(names);
  });

  it('F68 know about how long they wait, and wait no more once they left', () => {
    const { redials, had, enter, turnOf } = start();
    expect(redials.take()).toBe(true);
    enter('a');
    enter('b', true);
    enter('c');
    expect(['a', 'b', 'c', 'd'].map((name) => redials.waitOf(turnOf(name)))).toEqual([1, 2, 3, 0]);
    redials.leave(turnOf('a'));
    redials.giveBack();
    redials.giveBack();
    expect(had).toEqual(['c', 'b']);
  });

  it('F68 that were there a while ago are told no longer wait for those that are gone', () => {
    const { redials, enter, turnOf } = start();
    expect(redials.take()).toBe(true);
    for (let count = 0; count < 1000; count++) {
      enter(`gone-${count}`, true);
    }
    enter('a');
    enter('b');
    expect(['a', 'b', 'gone-0', 'gone-999'].map((name) => redials.waitOf(turnOf(name)))).toEqual([1, 3, 2, 1002]);
  });
});
