import { randomBytes } from 'node:crypto';
import { type BodyStream, dial, type Peer, TimerWheel, TransferBudget } from '@fosp/connection';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FederationStandIn } from './federation-stand-in.ts';
import { TestFileStore } from './file-store.ts';
import { startGateway } from './harness.ts';

const MIB = 1024 * 1024;
const FILE = { tree: 'alice@wonderland.lit', path: '/file' };
const SISTER = { From: 'sister@realworld.lit' };

/** A gateway, and a link with it which its other end reads as this project's servers do. */
async function start() {
  const gateway = await startGateway();
  await FederationStandIn.serve(gateway.bus);
  const store = await TestFileStore.serve(gateway.bus);
  return { store, peer: await link(gateway.url) };
}

async function link(url: string): Promise<Peer> {
  const nothing = () => undefined;
  const handler = {
    plan: () => ({ kind: 'discard' }) as const,
    ...{ request: nothing, notification: nothing, malformed: nothing, tooLarge: nothing, closed: nothing },
  };
  const environment = { budget: new TransferBudget(64 * MIB), timers: new TimerWheel() };
  const peer = await dial(url, { handler, environment });
  onTestFinished(() => peer.close(1000, ''));
  await peer.request('CONNECT', undefined, { body: '{"version":"0.1"}' });
  await peer.request('AUTHENTICATE', undefined, { body: '{"type":"server","domain":"realworld.lit"}' });
  return peer;
}

async function read(peer: Peer): Promise<BodyStream> {
  const { stream } = await peer.request('READ', FILE, { headers: SISTER, stream: true });
  if (stream === undefined) {
    throw new Error('READ failed');
  }
  return stream;
}

async function wholeOf(stream: BodyStream): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) {
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

describe('a file that a user of another domain reads', () => {
  it('F32 F61 tells its size beforehand, and the link serves the next one', async () => {
    const { store, peer } = await start();
    for (const size of [3 * MIB, 70_000]) {
      const bytes = randomBytes(size);
      store.files.set('/file', { bytes, fields: {} });
      const stream = await read(peer);
      expect(stream.size).toBe(size);
      expect((await wholeOf(stream)).equals(bytes)).toBe(true);
    }
  });

  it('F34 F61 is answered 503 where it breaks off before its first byte, and the link serves the next one', async () => {
    const { store, peer } = await start();
    store.files.set('/file', { bytes: Buffer.alloc(3 * MIB), fields: {} });
    store.onTransfer = (_, response) => {
      response.writeHead(200, { 'content-length': 3 * MIB }).flushHeaders();
      response.socket?.end();
    };
    const { head } = await peer.request('READ', FILE, { headers: SISTER, stream: true });
    expect(head).toMatchObject({ status: 503, headers: { To: SISTER.From } });
    store.onTransfer = undefined;
    expect(await wholeOf(await read(peer))).toHaveLength(3 * MIB);
  });

  it('F32 F61 ends the link where it breaks off, and never seems whole', async () => {
    const { store, peer } = await start();
    store.files.set('/file', { bytes: Buffer.alloc(3 * MIB), fields: {} });
    store.onTransfer = (_, response) => {
      response.writeHead(200, { 'content-length': 3 * MIB });
      response.write(Buffer.alloc(MIB), () => response.destroy());
    };
    await expect(wholeOf(await read(peer))).rejects.toMatchObject({ code: 'unreachable' });
    expect(peer.isOpen).toBe(false);
  });
});
