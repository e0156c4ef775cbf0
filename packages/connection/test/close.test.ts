import { describe, expect, it } from 'vitest';
import { CLOSE_CODES, mayReconnect } from '../src/index.ts';
import { manualClock } from './manual-clock.ts';
import { connectRaw } from './raw-client.ts';
import { clientFrame, rawFrame } from './raw-frames.ts';
import { startServer } from './server.ts';

const SELECT = 'SELECT alice@wonderland.lit/a 1\r\n';

describe('the end of a connection', () => {
  it('that we close comes with code and reason, behind what was sent before', async () => {
    const server = await startServer();
    const client = await server.connect();
    const [handler] = server.handlers;
    handler?.peer?.sendRaw('last words');
    handler?.peer?.close(1012, 'restart');
    handler?.peer?.close(1000, 'again');
    handler?.peer?.sendRaw('too late');
    expect(handler?.peer?.isOpen).toBe(false);
    await client.untilClosed();
    await handler?.untilClosed();
    expect(client.messages.map(({ text }) => text)).toEqual(['last words']);
    expect(client.closes).toEqual([{ code: 1012, reason: 'restart' }]);
    expect(handler?.closes).toEqual([{ code: 1012, reason: 'restart' }]);
  });

  it.each([
    ['with code and reason', 4321, 'bye', 4321],
    ['without a code', undefined, undefined, 1005],
  ])('that the other side closes %s is confirmed', async (_name, code, reason, heard) => {
    const server = await startServer();
    const client = await server.connect();
    client.socket.close(code, reason);
    await client.untilClosed();
    const [handler] = server.handlers;
    await handler?.untilClosed();
    expect(client.closes).toMatchObject([{ code: heard }]);
    expect(handler?.closes).toEqual([{ code: heard, reason: reason ?? '' }]);
  });

  it.each([
    ['cut', 'destroy'],
    ['half closed', 'end'],
  ] as const)('without a close frame, %s, is 1006', async (_name, how) => {
    const server = await startServer();
    const raw = await connectRaw(server);
    raw.socket[how]();
    await server.handlers[0]?.untilClosed();
    await raw.untilEnded();
    expect(server.handlers[0]?.closes).toMatchObject([{ code: 1006 }]);
  });

  it('by a violation of the rules is 1002, and what follows is not read', async () => {
    const server = await startServer();
    const raw = await connectRaw(server);
    await raw.send(
      Buffer.concat([clientFrame(1, SELECT), rawFrame({ opcode: 1, payload: 'x' }), clientFrame(1, SELECT)]),
    );
    expect(await raw.until('\x88')).toContain('\x03\xeaa client must mask its frames');
    await server.handlers[0]?.untilClosed();
    expect(server.handlers[0]).toMatchObject({ closes: [{ code: 1002 }], requests: { length: 1 } });
  });

  it('takes requests that came before as heard, and none that come after', async () => {
    const server = await startServer({
      prepare: (handler) => {
        handler.answer = (_request, peer) => peer.close(1008, '');
      },
    });
    const client = await server.connect();
    for (let count = 0; count < 10; count++) {
      client.send(SELECT);
    }
    await client.untilClosed();
    await server.handlers[0]?.untilClosed();
    expect(server.handlers[0]?.requests.length).toBe(1);
  });

  it('does not wait for ever for the other side to confirm', async () => {
    const clock = manualClock();
    const server = await startServer({ timers: clock.timers });
    const raw = await connectRaw(server);
    const [handler] = server.handlers;
    handler?.peer?.close(1000, 'over');
    await raw.until('over');
    clock.advance(4);
    expect(handler?.closes).toEqual([]);
    expect(raw.isEnded).toBe(false);
    clock.advance(2);
    expect(handler?.closes).toEqual([{ code: 1000, reason: 'over' }]);
    await raw.untilEnded();
    expect(clock.timers.isRunning).toBe(false);
  });

  it('breaks a file off that is being sent, and lets its source clean up', async () => {
    let cleaned = false;
    let sent: Promise<void> | undefined;
    const server = await startServer({
      prepare: (handler) => {
        handler.answer = ({ head }, peer) => {
          const body = (async function* () {
            try {
              for (;;) {
                yield new Uint8Array(10_000);
                await new Promise(setImmediate);
              }
            } finally {
              cleaned = true;
            }
          })();
          sent = peer.respondStream(head.sequence, 200, { body, size: 10 ** 9 });
        };
      },
    });
    const client = await server.connect();
    client.send('READ alice@wonderland.lit/a 1\r\n');
    const [handler] = server.handlers;
    await handler?.until(() => handler.requests.length === 1);
    const waits = handler?.peer?.respondStream(2, 200, { body: (async function* () {})(), size: 0 });
    handler?.peer?.close(1012, 'restart');
    await expect(sent).rejects.toMatchObject({ code: 'unreachable' });
    await expect(waits).rejects.toMatchObject({ code: 'unreachable' });
    expect(cleaned).toBe(true);
    await client.untilClosed();
    expect(client.closes).toEqual([{ code: 1012, reason: 'restart' }]);
  });

  it.each([
    ['fails', new Error('disk'), 1_000_000, { message: 'disk' }],
    ['is too short', undefined, 1_000_000, { code: 'internal' }],
    ['is too long', undefined, 150_000, { code: 'internal' }],
  ])('is 1011 when a file that is being sent %s', async (_name, failure, size, expected) => {
    const server = await startServer();
    const client = await server.connect();
    const body = (async function* () {
      yield new Uint8Array(100_000);
      yield new Uint8Array(100_000);
      if (failure !== undefined) {
        throw failure;
      }
    })();
    await expect(server.handlers[0]?.peer?.respondStream(1, 200, { body, size })).rejects.toMatchObject(expected);
    await client.untilClosed();
    expect(client.closes).toMatchObject([{ code: 1011 }]);
    expect(client.messages).toEqual([]);
  });

  it('ends the sending of a file at once, also when its source never answers', async () => {
    const server = await startServer();
    await server.connect();
    const [handler] = server.handlers;
    let stop = () => {};
    const stopped = new Promise<{ done: true; value: undefined }>((resolve) => {
      stop = () => resolve({ done: true, value: undefined });
    });
    const silent = {
      next: () => stopped,
      return: () => {
        stop();
        return stopped;
      },
    };
    const sent = handler?.peer?.respondStream(1, 200, { body: { [Symbol.asyncIterator]: () => silent }, size: 10 });
    handler?.peer?.close(1012, 'restart');
    await expect(sent).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('is told to a file that comes too late, so that it can be put away', async () => {
    const server = await startServer();
    await server.connect();
    const [handler] = server.handlers;
    let returned = 0;
    const next = () => Promise.resolve({ done: true as const, value: undefined });
    const stop = () => {
      returned++;
      return next();
    };
    const body = { [Symbol.asyncIterator]: () => ({ next, return: stop }) };
    handler?.peer?.close(1000, '');
    await expect(handler?.peer?.respondStream(1, 200, { body, size: 10 })).rejects.toMatchObject({
      code: 'unreachable',
    });
    expect(returned).toBe(1);
  });

  it('is not needed when a file fails before anything of it was sent', async () => {
    const server = await startServer();
    const client = await server.connect();
    const [handler] = server.handlers;
    const body = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('no such key')) }) };
    await expect(handler?.peer?.respondStream(1, 200, { body, size: 10 })).rejects.toThrow('no such key');
    handler?.peer?.respond(1, 500);
    expect(await client.texts(1)).toEqual(['FAILED 500 1\r\n']);
  });
});

it('the catalogue tells which codes to come back after', () => {
  const codes = Object.values(CLOSE_CODES);
  expect(new Set(codes.map(({ code }) => code)).size).toBe(codes.length);
  expect(codes.filter(({ reconnect }) => reconnect).map(({ code }) => code)).toEqual([
    1001, 1005, 1006, 1011, 1012, 1013,
  ]);
  expect([1000, 1008, 1012, 1014, 4000].map(mayReconnect)).toEqual([false, false, true, true, false]);
});
