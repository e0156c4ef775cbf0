import { transportSuite } from '@fosp/bus/suite';
import { describe, expect, it } from 'vitest';
import { InProcessTransport, STREAMS } from '../src/index.ts';

transportSuite('in process', async () => {
  const transport = new InProcessTransport({ stream: { retryPause: 1 } });
  return { one: transport, other: transport, close: () => transport.drain() };
});

const SUBJECT = `${STREAMS.changes}.0`;

function append(transport: InProcessTransport, id: string): Promise<void> {
  return transport.append(STREAMS.changes, SUBJECT, { headers: {}, body: new Uint8Array(0), id });
}

describe('a stream within the process', () => {
  it('resolves an append when it was handled, no earlier', async () => {
    const transport = new InProcessTransport({ stream: { retryPause: 1 } });
    const log: string[] = [];
    const appended = append(transport, '1').then(() => log.push('appended'));
    let attempts = 0;
    await transport.consume(STREAMS.changes, {
      consumer: 'test',
      subject: SUBJECT,
      key: () => '',
      handler: async () => {
        log.push('handler');
        if (++attempts < 3) {
          throw new Error('again');
        }
      },
    });
    await appended;
    expect(log).toEqual(['handler', 'handler', 'handler', 'appended']);
    await transport.drain();
  });

  it('refuses an append over its bound, and takes it once there is room', async () => {
    const transport = new InProcessTransport({ stream: { waitingMessages: 2 } });
    const first = [append(transport, '1'), append(transport, '2')];
    await expect(append(transport, '3')).rejects.toMatchObject({ code: 'overloaded' });
    const handled: string[] = [];
    await transport.consume(STREAMS.changes, {
      consumer: 'test',
      subject: `${STREAMS.changes}.*`,
      key: () => '',
      handler: async ({ position }) => {
        handled.push(String(position));
      },
    });
    await Promise.all(first);
    await append(transport, '3');
    expect(handled).toHaveLength(3);
    await transport.drain();
  });

  it('runs no more handlers at once than its concurrency, over all keys', async () => {
    const transport = new InProcessTransport({ stream: { concurrency: 3 } });
    let running = 0;
    let most = 0;
    await transport.consume(STREAMS.changes, {
      consumer: 'test',
      subject: '>',
      key: ({ position }) => String(position % 20),
      handler: async () => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
      },
    });
    await Promise.all(Array.from({ length: 100 }, (_, index) => append(transport, String(index))));
    expect(most).toBe(3);
    await transport.drain();
  });

  it('forgets the ids it handled longest ago', async () => {
    const transport = new InProcessTransport({ stream: { rememberedIds: 2 } });
    let handled = 0;
    await transport.consume(STREAMS.changes, {
      consumer: 'test',
      subject: SUBJECT,
      key: () => '',
      handler: async () => {
        handled++;
      },
    });
    for (const id of ['1', '2', '1', '3', '2', '1']) {
      await append(transport, id);
    }
    expect(handled).toBe(4);
    await transport.drain();
  });

  it('gives what a stopped taker left to the next one, in order', async () => {
    const transport = new InProcessTransport();
    const handled: number[] = [];
    const take = (fails: boolean) =>
      transport.consume(STREAMS.changes, {
        consumer: 'test',
        subject: SUBJECT,
        key: ({ position }) => String(position % 3),
        handler: async ({ position }) => {
          if (fails) {
            throw new Error('cannot');
          }
          handled.push(position);
        },
      });
    const failing = await take(true);
    const appended = Promise.all(Array.from({ length: 9 }, (_, index) => append(transport, String(index))));
    await failing.stop();
    await take(false);
    await appended;
    expect(handled.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(handled.filter((position) => position % 3 === 0)).toEqual([3, 6, 9]);
    await transport.drain();
  });
});
