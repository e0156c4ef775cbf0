import { describe, expect, it } from 'vitest';
import { type ClientEvent, NotificationQueue } from '../src/notifications.ts';

const LIMITS = { events: 3, characters: 1000 };

function change(text: string): ClientEvent {
  return { kind: 'notification', event: 'UPDATED', resource: 'alice@wonderland.lit/', text };
}

function queueOf(limits = LIMITS): NotificationQueue {
  return new NotificationQueue(limits, () => undefined);
}

async function rest(queue: NotificationQueue): Promise<ClientEvent[]> {
  queue.end(undefined);
  return await Array.fromAsync(queue);
}

describe('the queue of notifications', () => {
  it('gives them in order, also to several who ask at once', async () => {
    const queue = queueOf();
    const early = [queue.next(), queue.next()];
    for (const text of ['1', '2', '3']) {
      queue.push(change(text));
    }
    const taken = await Promise.all([...early, queue.next()]);
    expect(taken.map(({ value }) => value)).toEqual(['1', '2', '3'].map(change));
  });

  it.each([
    ['events', ['1', '2', '3', '4', '5']],
    ['characters', ['1', 'x'.repeat(1000), '5']],
  ])('puts a gap in the place of all when it has too many %s', async (_, texts) => {
    const queue = queueOf();
    for (const text of texts) {
      queue.push(change(text));
    }
    expect(await rest(queue)).toEqual([{ kind: 'gap' }, change('5')]);
  });

  it('has room again for what was taken', async () => {
    const queue = queueOf({ events: 2, characters: 100 });
    for (let round = 0; round < 10; round++) {
      queue.push(change('x'.repeat(60)));
      expect(await queue.next()).toEqual({ done: false, value: change('x'.repeat(60)) });
    }
  });

  it('ends with what is left, then the reason, once', async () => {
    const queue = queueOf();
    queue.push(change('1'));
    queue.end(new Error('the reason'));
    expect((await queue.next()).value).toEqual(change('1'));
    await expect(queue.next()).rejects.toThrow('the reason');
    expect(await queue.next()).toEqual({ done: true, value: undefined });
  });

  it('tells everybody who waits of its end', async () => {
    const queue = queueOf();
    const waiting = [queue.next(), queue.next()];
    queue.end(undefined);
    expect(await Promise.all(waiting)).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
  });

  it('drops what is left when its reader leaves', async () => {
    const left: NotificationQueue[] = [];
    const queue = new NotificationQueue(LIMITS, (one) => left.push(one));
    queue.push(change('1'));
    queue.push(change('2'));
    for await (const _ of queue) {
      break;
    }
    queue.push(change('3'));
    expect(await queue.next()).toEqual({ done: true, value: undefined });
    expect(left).toEqual([queue]);
  });
});
