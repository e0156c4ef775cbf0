import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_PEER_LIMITS,
  dial,
  type Peer,
  type PeerEnvironment,
  TimerWheel,
  TransferBudget,
} from '../src/browser.ts';
import { manualClock } from './manual-clock.ts';
import { bytesOf, textOf } from './raw-frames.ts';
import { RecordingHandler } from './recording-handler.ts';
import { MIB, startServer, type TestServer } from './server.ts';

const ALICE = { tree: 'alice@wonderland.lit', path: '/a' };

/** A peer over the runtime's own WebSocket, which has the interface of a browser's, and a server of ours that echoes. */
async function connected(timers = new TimerWheel()): Promise<{
  server: TestServer;
  peer: Peer;
  handler: RecordingHandler;
  environment: PeerEnvironment;
}> {
  const server = await startServer({
    prepare: (far) => {
      far.planFor = () => ({ kind: 'buffer', limit: 64 * MIB });
      far.answer = ({ head, body, frame }, peer) => peer.respond(head.sequence, 200, { body, frame });
    },
  });
  const handler = new RecordingHandler();
  const environment = { budget: new TransferBudget(64 * MIB), timers };
  const peer = await dial(`${server.url}/`, { handler, environment, limits: DEFAULT_PEER_LIMITS });
  handler.peer = peer;
  return { server, peer, handler, environment };
}

describe('a peer in a browser', () => {
  it('F1 F2 F13 asks and is answered, in text and in bytes', async () => {
    const { server, peer } = await connected();
    const texts = await Promise.all(['{}', 'ä', ''].map((body) => peer.request('UPDATE', ALICE, { body })));
    expect(texts.map(({ body }) => textOf(body))).toEqual(['{}', 'ä', '']);
    const bytes = Uint8Array.of(0, 255, 13, 10, 13, 10);
    expect(await peer.request('WRITE', ALICE, { body: bytes })).toMatchObject({ body: bytes });
    expect(server.handlers[0]?.requests.map(({ frame }) => frame)).toEqual(['text', 'text', 'text', 'binary']);
  });

  it('F31 F32 sends and gets bodies that stream, byte for byte', async () => {
    const { peer, environment } = await connected();
    const block = new Uint8Array(300_000).map((_byte, index) => index);
    const body = (async function* () {
      yield block;
      yield block;
    })();
    const response = await peer.request('WRITE', ALICE, { body, size: 600_000, stream: true });
    const pieces: Uint8Array[] = [];
    for await (const piece of response.stream ?? []) {
      pieces.push(piece);
    }
    expect(Buffer.concat(pieces).equals(Buffer.concat([block, block]))).toBe(true);
    expect(response.stream?.size).toBe(600_000);
    expect(environment.budget.used).toBe(0);
  });

  it('rejects a body of another size than announced, and stays connected', async () => {
    const { peer } = await connected();
    const body = (async function* () {
      yield bytesOf('abc');
    })();
    await expect(peer.request('WRITE', ALICE, { body, size: 4 })).rejects.toMatchObject({ code: 'internal' });
    expect((await peer.request('SELECT', ALICE)).head.status).toBe(200);
  });

  it('F7 keeps what comes while it is paused, in order', async () => {
    const { server, peer, handler, environment } = await connected();
    const [far] = server.handlers;
    await peer.request('SELECT', ALICE);
    peer.pause();
    for (let count = 0; count < 100; count++) {
      far?.peer?.sendRaw(`UPDATED alice@wonderland.lit/${count}\r\n`);
    }
    await untilTrue(() => environment.budget.used >= 100 * 'UPDATED alice@wonderland.lit/0\r\n'.length);
    expect(handler.notifications).toEqual([]);
    peer.resume();
    await handler.until(() => handler.notifications.length === 100);
    expect(handler.notifications.map(({ head }) => head.resource.path)).toEqual(
      Array.from({ length: 100 }, (_value, index) => `/${index}`),
    );
    expect(environment.budget.used).toBe(0);
  });

  it('is closed by either side, once', async () => {
    const ours = await connected();
    const waiting = ours.peer.request('SELECT', ALICE);
    ours.peer.close(1000, 'bye');
    await expect(waiting).rejects.toMatchObject({ code: 'unreachable' });
    await ours.handler.untilClosed();
    await ours.server.handlers[0]?.untilClosed();
    expect(ours.handler.closes).toEqual([{ code: 1000, reason: 'bye' }]);
    const theirs = await connected();
    theirs.server.handlers[0]?.peer?.close(1012, 'restart');
    await theirs.handler.untilClosed();
    expect(theirs.handler.closes).toEqual([{ code: 1012, reason: 'restart' }]);
    expect(theirs.peer.isOpen).toBe(false);
  });

  it('does not wait for ever to be closed', async () => {
    const clock = manualClock();
    const { peer, handler, server } = await connected(clock.timers);
    server.handlers[0]?.peer?.pause();
    peer.close(1000, '');
    clock.advance(6);
    expect(handler.closes).toEqual([{ code: 1000, reason: '' }]);
    expect(clock.timers.isRunning).toBe(false);
  });

  it('cannot be opened where there is no server, or when told to give up', async () => {
    const options = {
      handler: new RecordingHandler(),
      environment: { budget: new TransferBudget(MIB), timers: new TimerWheel() },
    };
    await expect(dial('ws://localhost:1/', options)).rejects.toMatchObject({ code: 'unreachable' });
    const signal = AbortSignal.abort(new Error('changed my mind'));
    await expect(dial('ws://localhost:1/', { ...options, signal })).rejects.toThrow('changed my mind');
  });
});

it('nothing behind the entry for browsers imports Node, or uses what only Node has', () => {
  const seen = new Set<string>();
  const visit = (file: string) => {
    if (seen.has(file)) {
      return;
    }
    seen.add(file);
    const text = readFileSync(new URL(`../src/${file}`, import.meta.url), 'utf8');
    expect(text, file).not.toMatch(/from 'node:|\b(Buffer|process)\.[a-z]/);
    for (const [, next] of text.matchAll(/from '\.\/([^']+)'/g)) {
      visit(next ?? '');
    }
  };
  visit('browser.ts');
  expect(seen).toContain('peer.ts');
});

async function untilTrue(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise(setImmediate);
  }
}
