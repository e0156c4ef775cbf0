import { describe, expect, it } from 'vitest';
import { manualClock } from './manual-clock.ts';
import { connectRaw } from './raw-client.ts';
import { clientFrame } from './raw-frames.ts';
import { startServer } from './server.ts';

const PING = '\x89\x00';

async function turns(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise(setImmediate);
  }
}

describe('a connection on which nothing is heard', () => {
  it('is pinged, and stays for as long as pings are answered', async () => {
    const clock = manualClock();
    const server = await startServer({ timers: clock.timers });
    const client = await server.connect();
    for (let pings = 1; pings <= 5; pings++) {
      clock.advance(31);
      await client.until(() => client.pings === pings);
      // The pong is on its way: what the client sends behind it was read after it.
      client.send('SELECT alice@wonderland.lit/a 1\r\n');
      const [handler] = server.handlers;
      await handler?.until(() => handler.requests.length === pings);
    }
    expect(server.handlers[0]?.peer?.isOpen).toBe(true);
  });

  it('is dropped when a ping is not answered', async () => {
    const clock = manualClock();
    const server = await startServer({ timers: clock.timers });
    const raw = await connectRaw(server);
    clock.advance(29);
    await raw.send(clientFrame(10));
    await turns(() => server.handlers.length === 1);
    clock.advance(30);
    await raw.until(PING);
    expect(server.handlers[0]?.closes).toEqual([]);
    clock.advance(31);
    expect(server.handlers[0]?.closes).toMatchObject([{ code: 1006 }]);
    await raw.untilEnded();
    expect(clock.timers.isRunning).toBe(false);
  });

  it('is not pinged where the heartbeat is switched off', async () => {
    const clock = manualClock();
    const server = await startServer({ timers: clock.timers, limits: { heartbeatSeconds: 0 } });
    const raw = await connectRaw(server);
    clock.advance(1000);
    server.handlers[0]?.peer?.sendRaw('end');
    expect(await raw.until('end')).not.toContain(PING);
  });

  it('is not dropped while it is paused; its time counts from the resume', async () => {
    const clock = manualClock();
    const server = await startServer({ timers: clock.timers });
    const raw = await connectRaw(server);
    const [handler] = server.handlers;
    clock.advance(31);
    await raw.until(PING);
    handler?.peer?.pause();
    clock.advance(1000);
    handler?.peer?.resume();
    clock.advance(29);
    expect(handler?.peer?.isOpen).toBe(true);
    expect(raw.received.split(PING).length).toBe(2);
    clock.advance(2);
    await raw.until(PING + PING);
  });
});

it('a connection that only takes a file, slowly, is alive, until it takes nothing any more', async () => {
  const clock = manualClock();
  const server = await startServer({ timers: clock.timers });
  const raw = await connectRaw(server);
  const [handler] = server.handlers;
  const body = (async function* () {
    for (let count = 0; count < 2000; count++) {
      yield new Uint8Array(50_000);
    }
  })();
  const sent = handler?.peer?.respondStream(1, 200, { body, size: 100_000_000 });
  for (let seconds = 0; seconds < 300; seconds += 20) {
    const before = raw.received.length;
    raw.socket.resume();
    await turns(() => raw.received.length > before + 3_000_000);
    raw.socket.pause();
    for (let count = 0; count < 20; count++) {
      await new Promise(setImmediate);
    }
    clock.advance(20);
    expect(handler?.closes).toEqual([]);
  }
  clock.advance(100);
  await expect(sent).rejects.toMatchObject({ code: 'unreachable' });
});

it('pings are answered with what they carry, also in the middle of a message', async () => {
  const server = await startServer();
  const client = await server.connect();
  const pongs: string[] = [];
  client.socket.on('pong', (data) => pongs.push(data.toString()));
  client.socket.ping('one');
  client.socket.send('SELECT alice@wonder', { fin: false });
  client.socket.ping('two');
  client.socket.send('land.lit/a 1\r\n', { fin: true });
  const [handler] = server.handlers;
  await handler?.until(() => handler.requests.length === 1);
  handler?.peer?.respond(1, 204);
  await client.texts(1);
  expect(pongs).toEqual(['one', 'two']);
});
