import { describe, expect, it } from 'vitest';
import { Slots } from '../src/index.ts';

describe('places within places', () => {
  it('F13 are had by as many as each of both has room for, in the order of the line', async () => {
    const shared = new Slots(2);
    const [one, other] = [new Slots(1, shared), new Slots(2, shared)];
    const inside: string[] = [];
    const enter = async (name: string, slots: Slots) => {
      await slots.enter();
      inside.push(name);
    };
    const all = [enter('a1', one), enter('a2', one), enter('b1', other), enter('b2', other), enter('b3', other)];
    const settle = () => new Promise((resolve) => setImmediate(resolve));
    const after = async (leaving: Slots) => {
      leaving.leave();
      await settle();
      return [...inside];
    };
    await settle();
    expect(inside).toEqual(['a1', 'b1']);
    expect(await after(one)).toEqual(['a1', 'b1', 'b2']);
    expect(await after(other)).toEqual(['a1', 'b1', 'b2', 'a2']);
    expect(await after(other)).toEqual(['a1', 'b1', 'b2', 'a2', 'b3']);
    await Promise.all(all);
    one.leave();
    other.leave();
    expect([shared.taken, one.taken, other.taken]).toEqual([0, 0, 0]);
  });
});
