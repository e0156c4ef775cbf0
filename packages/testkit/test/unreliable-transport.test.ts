import { type BusMessage, InProcessTransport, isBusError } from '@fosp/bus';
import { describe, expect, it } from 'vitest';
import { type Faults, Inbox, unreliableTransport } from '../src/index.ts';

const message = (text: string): BusMessage => ({ headers: {}, body: Buffer.from(text) });
const context = () => ({ deadline: Date.now() + 10_000, requestId: 'test' });

function busWith(faults: Omit<Faults, 'random'>) {
  return unreliableTransport(new InProcessTransport(), { random: () => 0.5, ...faults });
}

describe('unreliable transport', () => {
  it.each([
    [{ lostRequests: 1 }, 0],
    [{ lostAnswers: 1 }, 1],
  ])('loses calls as told: %j', async (faults, served) => {
    const bus = busWith(faults);
    let calls = 0;
    const handler = async (asked: BusMessage) => {
      calls++;
      return asked;
    };
    await bus.serve('x', handler, { concurrency: 1 });
    const lost = await bus.request('x', message('a'), context()).catch((error: unknown) => error);
    expect(isBusError(lost) && lost.code).toBe('deadline');
    expect(calls).toBe(served);
  });

  it('keeps the order of late messages of one subject', async () => {
    const lags = [5, 0, 2];
    const bus = busWith({ lag: () => lags.shift() ?? 0 });
    const inbox = new Inbox<string>('a message');
    await bus.subscribe('x', ({ body }) => inbox.add(Buffer.from(body).toString()));
    for (const text of ['a', 'b', 'c']) {
      bus.publish('x', message(text));
    }
    expect(await inbox.take(3)).toEqual(['a', 'b', 'c']);
  });

  it('tells of a gap where it lost a message', async () => {
    const bus = busWith({ lostMessages: 1 });
    const gap = new Promise((resolve) => bus.onGap(resolve));
    const heard: BusMessage[] = [];
    await bus.subscribe('x', (told) => heard.push(told));
    bus.publish('x', message('a'));
    expect(await gap).toBe('A message to x was lost on purpose');
    expect(heard).toEqual([]);
  });

  it('sends messages again later, and says so', async () => {
    const struck: string[] = [];
    const bus = busWith({ repeatedMessages: 1, struck: (fault) => struck.push(fault), lag: () => 1 });
    const inbox = new Inbox<string>('a message');
    await bus.subscribe('x', ({ body }) => inbox.add(Buffer.from(body).toString()));
    bus.publish('x', message('a'));
    bus.publish('x', message('b'));
    expect((await inbox.take(4)).toSorted()).toEqual(['a', 'a', 'b', 'b']);
    expect(struck).toEqual(['repeatedMessages', 'repeatedMessages']);
  });

  it.each([{ repeats: 1 }, { repeatedAppends: 1 }])('repeats durable messages: %j', async (faults) => {
    const bus = busWith(faults);
    const handled: string[] = [];
    await bus.consume('s', {
      consumer: 'c',
      subject: 's.*',
      key: () => 'k',
      handler: async ({ body }) => {
        handled.push(Buffer.from(body).toString());
      },
    });
    await bus.append('s', 's.1', { ...message('a'), id: '1' });
    expect(handled).toEqual(['a', 'a']);
  });
});
