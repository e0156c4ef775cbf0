import { describe, expect, it } from 'vitest';
import { dial as dialInBrowser } from '../src/browser.ts';
import { DEFAULT_PEER_LIMITS, dial, type Peer, TimerWheel, TransferBudget } from '../src/index.ts';
import { manualClock } from './manual-clock.ts';
import { connectRaw } from './raw-client.ts';
import { bytesOf, clientFrame } from './raw-frames.ts';
import { RecordingHandler } from './recording-handler.ts';
import { MIB, startServer, type TestServer, type TestServerOptions } from './server.ts';

/** A server's peer whose other side is a TCP connection that answers pings by hand. */
async function accepted(options: TestServerOptions = {}) {
  const server = await startServer(options);
  const raw = await connectRaw(server);
  const [handler] = server.handlers;
  if (handler?.peer === undefined) {
    throw new Error('nobody connected');
  }
  return { raw, handler, peer: handler.peer, pong: (payload: string) => raw.send(clientFrame(10, payload)) };
}

/** A peer of ours at both ends; this one dialled. */
async function dialled(dialOne: typeof dial | typeof dialInBrowser): Promise<{
  server: TestServer;
  peer: Peer;
  handler: RecordingHandler;
}> {
  const server = await startServer();
  const environment = { budget: new TransferBudget(64 * MIB), timers: new TimerWheel() };
  const handler = new RecordingHandler();
  const peer = await dialOne(`${server.url}/`, { handler, environment, limits: DEFAULT_PEER_LIMITS });
  return { server, peer, handler };
}

function outcomes(pings: readonly Promise<void>[]): string[] {
  const seen: string[] = [];
  for (const [index, ping] of pings.entries()) {
    ping.then(
      () => seen.push(`${index} answered`),
      (error: { readonly code: string }) => seen.push(`${index} ${error.code}`),
    );
  }
  return seen;
}

describe('a ping', () => {
  it('is answered once all that was sent before it was read, also what waits behind a body that streams', async () => {
    const { server, peer, handler } = await dialled(dial);
    const { promise: goingOn, resolve: goOn } = Promise.withResolvers<void>();
    const body = (async function* () {
      yield bytesOf('first');
      await goingOn;
      yield bytesOf('last');
    })();
    peer.request('WRITE', { tree: 'alice@wonderland.lit', path: '/a' }, { body }).catch(() => {});
    for (let count = 1; count <= 100; count++) {
      peer.sendRaw(`UPDATED alice@wonderland.lit/${count}\r\n`);
    }
    const ping = peer.ping();
    const seen = outcomes([ping]);
    // A ping that overtook would be answered before what the other side sends when it has read the head of the body.
    const [far] = server.handlers;
    await far?.until(() => far.planned.length === 1);
    far?.peer?.sendRaw('DELETED alice@wonderland.lit/a\r\n');
    await handler.until(() => handler.notifications.length === 1);
    expect(seen).toEqual([]);
    goOn();
    await ping;
    expect(far?.notifications.map(({ head }) => head.resource.path)).toEqual(
      Array.from({ length: 100 }, (_, index) => `/${index + 1}`),
    );
  });

  it('is answered by the pong to it or to a later one, and by no other', async () => {
    const { peer, raw, handler, pong } = await accepted();
    const seen = outcomes([peer.ping(), peer.ping(), peer.ping()]);
    await raw.until('\x89\x011\x89\x012\x89\x013');
    for (const payload of ['', '0', '4', 'x', '2']) {
      await pong(payload);
    }
    await raw.send(clientFrame(1, 'DELETED alice@wonderland.lit/a\r\n'));
    await handler.until(() => handler.notifications.length === 1);
    expect(seen).toEqual(['0 answered', '1 answered']);
    await pong('3');
    await raw.send(clientFrame(1, 'DELETED alice@wonderland.lit/b\r\n'));
    await handler.until(() => handler.notifications.length === 2);
    expect(seen).toEqual(['0 answered', '1 answered', '2 answered']);
  });

  it('is rejected when no pong comes in time, and a late one answers only what still waits', async () => {
    const clock = manualClock();
    const limits = { heartbeatSeconds: 0, requestTimeoutMs: 10_000 };
    const { peer, raw, handler, pong } = await accepted({ timers: clock.timers, limits });
    const first = peer.ping();
    first.catch(() => {});
    clock.advance(6);
    const second = peer.ping();
    clock.advance(5);
    await expect(first).rejects.toMatchObject({ code: 'timeout' });
    await pong('1');
    await raw.send(clientFrame(1, 'DELETED alice@wonderland.lit/a\r\n'));
    await handler.until(() => handler.notifications.length === 1);
    await pong('2');
    await second;
    raw.socket.destroy();
    await handler.untilClosed();
    clock.advance(30);
    expect(clock.timers.isRunning).toBe(false);
  });

  it('is rejected over the bound, when the connection closes, and after it', async () => {
    const { peer } = await accepted({ limits: { pendingPings: 2 } });
    const pings = [peer.ping(), peer.ping()];
    await expect(peer.ping()).rejects.toMatchObject({ code: 'too-many' });
    peer.close(1000, '');
    await Promise.all(pings.map((ping) => expect(ping).rejects.toMatchObject({ code: 'unreachable' })));
    await expect(peer.ping()).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('is rejected where the other side breaks off', async () => {
    const { peer, raw } = await accepted();
    const ping = peer.ping();
    raw.socket.destroy();
    await expect(ping).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('is not to be had in a browser', async () => {
    const { peer } = await dialled(dialInBrowser);
    await expect(peer.ping()).rejects.toMatchObject({ code: 'unreachable' });
    peer.sendRaw(bytesOf('UPDATED alice@wonderland.lit/a\r\n'));
    expect(peer.isOpen).toBe(true);
  });
});
