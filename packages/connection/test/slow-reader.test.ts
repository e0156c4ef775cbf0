import { describe, expect, it } from 'vitest';
import { manualClock } from './manual-clock.ts';
import { connectRaw } from './raw-client.ts';
import { clientFrame } from './raw-frames.ts';
import type { RecordingHandler } from './recording-handler.ts';
import { MIB, startServer } from './server.ts';

const NOTIFICATION = `UPDATED alice@wonderland.lit/a\r\n\r\n${'x'.repeat(10_000)}`;

async function turn(): Promise<void> {
  await new Promise(setImmediate);
}

/** Sends notifications, some in each turn, until the connection is no longer open. @returns the most bytes that waited */
async function flood(handler: RecordingHandler | undefined): Promise<number> {
  let most = 0;
  while (handler?.peer?.isOpen) {
    for (let count = 0; count < 20; count++) {
      handler.peer.sendRaw(NOTIFICATION);
    }
    most = Math.max(most, handler.peer.bufferedBytes);
    await turn();
  }
  return most;
}

describe('a client that does not read', () => {
  it('F58 is closed with 1013 once its buffer is full, and others are not disturbed', async () => {
    const server = await startServer({ limits: { sendBufferBytes: MIB } });
    const slow = await server.connect();
    const quick = await server.connect();
    slow.socket.pause();
    const most = await flood(server.handlers[0]);
    expect(most).toBeGreaterThan(MIB);
    expect(most).toBeLessThan(MIB + 20 * NOTIFICATION.length);
    for (let count = 0; count < 500; count++) {
      server.handlers[1]?.peer?.sendRaw(NOTIFICATION);
    }
    await quick.texts(500);
    slow.socket.resume();
    await slow.untilClosed();
    expect(slow.closes).toMatchObject([{ code: 1013 }]);
    expect(server.handlers[0]?.closes).toMatchObject([{ code: 1013 }]);
    expect(new Set(slow.messages.map(({ text }) => text))).toEqual(new Set([NOTIFICATION]));
    expect(server.environment.budget.backlog).toBe(0);
  });

  it('may be late with one answer that is larger than its buffer', async () => {
    const server = await startServer({
      limits: { sendBufferBytes: MIB },
      prepare: (handler) => {
        handler.answer = ({ head }, peer) => peer.respond(head.sequence, 200, { body: 'x'.repeat(20 * MIB) });
      },
    });
    const client = await server.connect();
    client.socket.pause();
    client.send('LIST alice@wonderland.lit/a 1\r\n');
    const [handler] = server.handlers;
    await handler?.until(() => handler.requests.length === 1);
    await turn();
    expect(handler?.peer?.bufferedBytes).toBeGreaterThan(MIB);
    client.socket.resume();
    const [answer] = await client.texts(1);
    expect(answer?.length).toBe('SUCCEEDED 200 1\r\n\r\n'.length + 20 * MIB);
    expect(handler?.peer).toMatchObject({ isOpen: true, bufferedBytes: 0 });
  });

  it('is closed when it takes nothing for long, however little waits', async () => {
    const clock = manualClock();
    const server = await startServer({ timers: clock.timers, limits: { sendSeconds: 60, closeSeconds: 5 } });
    const raw = await connectRaw(server);
    const [handler] = server.handlers;
    raw.socket.pause();
    while ((handler?.peer?.bufferedBytes ?? 0) < 100_000) {
      handler?.peer?.sendRaw(NOTIFICATION);
      await turn();
    }
    for (let seconds = 0; seconds < 55; seconds += 5) {
      clock.advance(5);
      await raw.send(clientFrame(10));
      await turn();
    }
    expect(handler?.peer?.isOpen).toBe(true);
    expect(server.environment.budget.backlog).toBe(handler?.peer?.bufferedBytes);
    clock.advance(40);
    await handler?.untilClosed();
    expect(handler?.closes).toMatchObject([{ code: 1013, reason: 'what was sent is not read' }]);
    while (server.environment.budget.backlog > 0) {
      await turn();
    }
  });

  it('is closed when too much waits for all who are behind together', async () => {
    const server = await startServer({ budgetBytes: 3 * MIB });
    const clients = await Promise.all([server.connect(), server.connect(), server.connect()]);
    for (const client of clients) {
      client.socket.pause();
    }
    const quick = await server.connect();
    while (server.handlers.every((handler) => handler.peer?.isOpen)) {
      for (const handler of server.handlers.slice(0, 3)) {
        handler.peer?.sendRaw(NOTIFICATION);
      }
      await turn();
    }
    // Each of the three was sent one more, in its frame, since the limit was last looked at.
    expect(server.environment.budget.backlog).toBeLessThan(3 * MIB + 3 * (NOTIFICATION.length + 16));
    server.handlers[3]?.peer?.sendRaw(NOTIFICATION);
    await quick.texts(1);
    for (const client of clients) {
      client.socket.resume();
    }
    await Promise.race(clients.map((client) => client.untilClosed()));
    expect(clients.flatMap((client) => client.closes)).toMatchObject([{ code: 1013 }]);
  });

  it('makes a file that is sent to it wait, in bounded memory', async () => {
    let produced = 0;
    const server = await startServer({
      prepare: (handler) => {
        handler.answer = ({ head }, peer) => {
          const body = (async function* () {
            for (; produced < 64 * MIB; produced += 50_000) {
              yield new Uint8Array(Math.min(50_000, 64 * MIB - produced));
            }
          })();
          void peer.respondStream(head.sequence, 200, { body, size: 64 * MIB });
        };
      },
    });
    const client = await server.connect();
    client.socket.pause();
    client.send('READ alice@wonderland.lit/a 1\r\n');
    const [handler] = server.handlers;
    let before = -1;
    while (produced === 0 || produced !== before) {
      before = produced;
      for (let turns = 0; turns < 20; turns++) {
        await turn();
      }
      expect(handler?.peer?.bufferedBytes).toBeLessThan(MIB);
    }
    expect(produced).toBeLessThan(64 * MIB);
    client.socket.resume();
    await client.texts(1);
    expect(client.messages[0]?.bytes.length).toBe('SUCCEEDED 200 1\r\n\r\n'.length + 64 * MIB);
  });
});
