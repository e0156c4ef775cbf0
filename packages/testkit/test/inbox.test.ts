import { describe, expect, it } from 'vitest';
import { Inbox, within } from '../src/index.ts';

describe('inbox', () => {
  it('hands over in order, whether somebody waits or not', async () => {
    const inbox = new Inbox<number>('a number');
    inbox.add(1);
    const taken = inbox.take(3);
    inbox.add(2);
    inbox.add(3);
    inbox.add(4);
    expect(await taken).toEqual([1, 2, 3]);
    expect(inbox.drain()).toEqual([4]);
  });

  it('says what it waited for in vain, and loses nothing by it', async () => {
    const inbox = new Inbox<number>('a number');
    await expect(inbox.next(1)).rejects.toThrow('Waited 1 ms for a number in vain');
    inbox.add(1);
    expect(await inbox.next()).toBe(1);
  });

  it('fails whoever waits once nothing comes any more', async () => {
    const inbox = new Inbox<number>('a number');
    const waiting = inbox.next();
    inbox.add(1);
    inbox.add(2);
    inbox.fail(new Error('over'));
    expect(await waiting).toBe(1);
    expect(await inbox.next()).toBe(2);
    await expect(inbox.next()).rejects.toThrow('over');
  });
});

describe('within', () => {
  it('passes on what comes in time', async () => {
    await expect(within(Promise.resolve(1), 'one')).resolves.toBe(1);
    await expect(within(Promise.reject(new Error('no')), 'one')).rejects.toThrow('no');
  });
});
