import { describe, expect, it } from 'vitest';
import type { BodyStream } from '../src/index.ts';
import { manualClock } from './manual-clock.ts';
import { connectRaw } from './raw-client.ts';
import { bytesOf, clientFrame, rawFrame } from './raw-frames.ts';
import type { RecordingHandler } from './recording-handler.ts';
import { MIB, startServer } from './server.ts';

const WRITE = 'WRITE alice@wonderland.lit/a 1\r\n\r\n';
/** What one read of a socket may bring. */
const READ_BYTES = 64 * 1024;

function streaming(handler: RecordingHandler, streams: BodyStream[]): void {
  handler.planFor = (head) =>
    head.kind === 'request' && head.type === 'WRITE'
      ? { kind: 'stream', limit: 64 * MIB }
      : { kind: 'buffer', limit: MIB };
  handler.answer = ({ head, stream }, peer) => {
    if (stream === undefined) {
      peer.respond(head.sequence, 200);
    } else {
      streams.push(stream);
    }
  };
}

async function drain(stream: BodyStream | undefined): Promise<number> {
  let bytes = 0;
  for await (const piece of stream ?? []) {
    bytes += piece.length;
  }
  return bytes;
}

describe('a peer that is paused', () => {
  it('F13 hands on nothing until it resumes, then everything, in order', async () => {
    const server = await startServer({
      prepare: (handler) => {
        handler.answer = ({ head }, peer) => {
          peer.pause();
          queueMicrotask(() => peer.respond(head.sequence, 200));
        };
      },
    });
    const client = await server.connect();
    const numbers = Array.from({ length: 200 }, (_value, index) => index + 1);
    for (const number of numbers) {
      client.send(`SELECT alice@wonderland.lit/a ${number}\r\n`);
    }
    const [handler] = server.handlers;
    for (const number of numbers) {
      await client.texts(number);
      expect(handler?.requests.length).toBe(number);
      handler?.peer?.resume();
    }
    expect(handler?.requests.map(({ head }) => head.sequence)).toEqual(numbers);
    expect(server.environment.budget.used).toBe(0);
  });

  it('may resume at once, within the same call', async () => {
    const server = await startServer({
      prepare: (handler) => {
        handler.answer = ({ head }, peer) => {
          peer.pause();
          peer.resume();
          peer.respond(head.sequence, 200);
        };
      },
    });
    const client = await server.connect();
    const numbers = Array.from({ length: 500 }, (_value, index) => index + 1);
    for (const number of numbers) {
      client.send(`SELECT alice@wonderland.lit/a ${number}\r\n`);
    }
    expect(await client.texts(500)).toEqual(numbers.map((number) => `SUCCEEDED 200 ${number}\r\n`));
  });

  it('counts what it keeps in the budget', async () => {
    const server = await startServer({
      prepare: (handler) => {
        handler.answer = (_request, peer) => peer.pause();
      },
    });
    const raw = await connectRaw(server);
    const select = clientFrame(1, 'SELECT alice@wonderland.lit/a 1\r\n');
    await raw.send(Buffer.concat([select, select, select]));
    await server.handlers[0]?.until(() => server.handlers[0]?.requests.length === 1);
    await new Promise(setImmediate);
    expect(server.environment.budget.used).toBe(2 * select.length);
    server.handlers[0]?.peer?.resume();
    await server.handlers[0]?.until(() => server.handlers[0]?.requests.length === 2);
    await new Promise(setImmediate);
    expect(server.environment.budget.used).toBe(select.length);
  });

  it('lets a body that streams already come to its end, and takes no message behind it', async () => {
    const streams: BodyStream[] = [];
    const server = await startServer({ prepare: (handler) => streaming(handler, streams) });
    const client = await server.connect();
    client.socket.send(WRITE, { fin: false });
    await server.handlers[0]?.until(() => streams.length === 1);
    server.handlers[0]?.peer?.pause();
    client.socket.send(new Uint8Array(MIB), { fin: true });
    client.send('SELECT alice@wonderland.lit/a 2\r\n');
    expect(await drain(streams[0])).toBe(MIB);
    await new Promise(setImmediate);
    expect(server.handlers[0]?.requests.length).toBe(1);
    server.handlers[0]?.peer?.resume();
    expect(await client.texts(1)).toEqual(['SUCCEEDED 200 2\r\n']);
  });
});

describe('a body that nobody takes', () => {
  it('stops its connection after a bound, and goes on when taken', async () => {
    const streams: BodyStream[] = [];
    const streamBytes = 128 * 1024;
    const server = await startServer({ limits: { streamBytes }, prepare: (handler) => streaming(handler, streams) });
    const client = await server.connect();
    client.send(Buffer.concat([bytesOf(WRITE), new Uint8Array(20 * MIB)]));
    await server.handlers[0]?.until(() => streams.length === 1);
    let used = 0;
    for (let turns = 0; turns < 200; turns++) {
      await new Promise(setImmediate);
      used = Math.max(used, server.environment.budget.used);
    }
    expect(used).toBeGreaterThan(0);
    expect(used).toBeLessThanOrEqual(streamBytes + READ_BYTES);
    expect(await drain(streams[0])).toBe(20 * MIB);
    expect(server.environment.budget.used).toBe(0);
  });

  it('F13 is kept within its bound together with others of the same connection', async () => {
    const streams: BodyStream[] = [];
    const streamBytes = 64 * 1024;
    const server = await startServer({ limits: { streamBytes }, prepare: (handler) => streaming(handler, streams) });
    const client = await server.connect();
    for (let count = 0; count < 50; count++) {
      client.send(Buffer.concat([bytesOf(WRITE), new Uint8Array(20_000)]));
    }
    let total = 0;
    for (let taken = 0; taken < 50; taken++) {
      await server.handlers[0]?.until(() => streams.length > taken);
      expect(server.environment.budget.used).toBeLessThanOrEqual(streamBytes + READ_BYTES);
      total += await drain(streams[taken]);
    }
    expect(total).toBe(1_000_000);
  });

  it('ends for its reader when the connection does', async () => {
    const streams: BodyStream[] = [];
    const server = await startServer({ prepare: (handler) => streaming(handler, streams) });
    const client = await server.connect();
    client.socket.send(`${WRITE}half`, { fin: false });
    await server.handlers[0]?.until(() => streams.length === 1);
    const read = drain(streams[0]);
    client.socket.terminate();
    await expect(read).rejects.toMatchObject({ code: 'unreachable' });
    await server.handlers[0]?.untilClosed();
    expect(server.environment.budget.used).toBe(0);
  });
});

describe('a sender that is slow', () => {
  const silent = rawFrame({ opcode: 1, payload: 'UPDATE alice@won', length: 1000n, mask: [0, 0, 0, 0] });

  it('is closed with 1008 when nothing of a message comes for long', async () => {
    const clock = manualClock();
    const server = await startServer({ timers: clock.timers, limits: { heartbeatSeconds: 0 } });
    const raw = await connectRaw(server);
    await raw.send(silent);
    await server.handlers[0]?.until(() => true);
    await untilHeld(() => server.environment.budget.used > 0);
    clock.advance(29);
    expect(server.handlers[0]?.peer?.isOpen).toBe(true);
    clock.advance(2);
    expect(server.handlers[0]?.peer?.isOpen).toBe(false);
    expect(server.environment.budget.used).toBe(0);
    expect(await raw.until('\x88')).toContain('nothing of a message arrived for 30 s');
  });

  it('is closed with 1008 when it comes drop by drop', async () => {
    const clock = manualClock();
    const limits = { heartbeatSeconds: 0, messageBytesPerSecond: 10 };
    const server = await startServer({ timers: clock.timers, limits });
    const raw = await connectRaw(server);
    await raw.send(
      rawFrame({ opcode: 1, payload: `UPDATE alice@wonderland.lit/a 1\r\n\r\n`, length: 5000n, mask: [0, 0, 0, 0] }),
    );
    const [handler] = server.handlers;
    await handler?.until(() => handler.planned.length === 1);
    let used = server.environment.budget.used;
    for (let seconds = 0; seconds < 25; seconds += 5) {
      await raw.send(new Uint8Array(40));
      used += 40;
      await untilHeld(() => server.environment.budget.used === used);
      clock.advance(5);
    }
    expect(handler?.peer?.isOpen).toBe(true);
    clock.advance(5);
    expect(handler?.peer?.isOpen).toBe(false);
    expect(await raw.until('\x88')).toContain('under 10 bytes/s');
  });

  it('is not blamed for the time in which it was not read', async () => {
    const clock = manualClock();
    const server = await startServer({ timers: clock.timers });
    const client = await server.connect();
    client.socket.send('UPDATE alice@wonderland.lit/a 1\r\n\r\n', { fin: false });
    const [handler] = server.handlers;
    await handler?.until(() => handler.planned.length === 1);
    handler?.peer?.pause();
    clock.advance(1000);
    handler?.peer?.resume();
    clock.advance(20);
    expect(handler?.peer?.isOpen).toBe(true);
    client.socket.send('done', { fin: true });
    await handler?.until(() => handler.requests.length === 1);
  });
});

/** Lets the event loop turn until the condition holds. */
async function untilHeld(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise(setImmediate);
  }
}
