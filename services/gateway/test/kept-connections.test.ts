/** Connections to the file store are kept, and nobody notices when the store has closed one. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { ATTACHMENTS } from '@fosp/bus';
import { describe, expect, it } from 'vitest';
import { TestFileStore } from './file-store.ts';
import { startGateway } from './harness.ts';

const ID = 'alice@wonderland.lit';
const LARGE = Buffer.alloc(3_000_000, 7);

async function start(options: Parameters<typeof startGateway>[0] = {}) {
  const gateway = await startGateway({ ...options, limits: { transferIdleSeconds: 600, ...options?.limits } });
  const store = await TestFileStore.serve(gateway.bus);
  store.files.set('/small', { bytes: Buffer.from('small'), fields: {} });
  store.files.set('/large', { bytes: LARGE, fields: {} });
  return { gateway, store, alice: await gateway.logIn('alice') };
}

describe.each(['reset', 'end'] as const)(
  'a kept connection that the store closes when it is used again (%s)',
  (how) => {
    it('F31 F32 costs no READ and no small WRITE', async () => {
      const { store, alice } = await start();
      await alice.succeed('READ', `${ID}/small`);
      store.closesReused = how;
      for (let round = 0; round < 5; round++) {
        expect((await alice.succeed('READ', `${ID}/small`)).body.toString()).toBe('small');
        // What was sent once more went over a connection of its own: this leaves one to be used again.
        store.closesReused = undefined;
        expect((await alice.succeed('READ', `${ID}/large`)).body.equals(LARGE)).toBe(true);
        store.closesReused = how;
        expect((await alice.succeed('READ', `${ID}/large`)).body.equals(LARGE)).toBe(true);
        store.closesReused = undefined;
        await alice.succeed('READ', `${ID}/small`);
        store.closesReused = how;
        await alice.succeed('WRITE', `${ID}/written`, { body: Buffer.alloc(200_000, round) });
        expect(store.files.get('/written')?.bytes).toEqual(Buffer.alloc(200_000, round));
        store.closesReused = undefined;
        await alice.succeed('READ', `${ID}/small`);
        store.closesReused = how;
      }
      // The large ones may come before the connection is put back.
      expect(store.closed).toBeGreaterThanOrEqual(10);
    });

    it('F31 is not used for a large WRITE, nor for one of unknown size', async () => {
      const { gateway, store, alice } = await start();
      await alice.succeed('READ', `${ID}/small`);
      store.closesReused = how;
      const file = Buffer.alloc(2_000_000, 1);
      await alice.succeed('WRITE', `${ID}/announced`, { body: file });
      alice.wire.sendFragments([`WRITE ${ID}/fragments 900\r\n\r\n`, file]);
      await expect.poll(() => store.files.get('/fragments')?.bytes.equals(file)).toBe(true);
      expect(store.files.get('/announced')?.bytes.equals(file)).toBe(true);
      expect([store.closed, store.connections]).toEqual([0, 3]);
      expect(await gateway.metric('fosp_gateway_attachment_bytes_total{direction="up"}')).toBe(4_000_000);
    });
  },
);

describe('connections to the file store', () => {
  it('F32 F34 that close on every request are tried twice and no more', async () => {
    const { store, alice } = await start();
    await alice.succeed('READ', `${ID}/small`);
    let requests = 0;
    store.onTransfer = (request) => {
      requests++;
      request.socket.resetAndDestroy();
    };
    expect((await alice.request('READ', `${ID}/small`)).status).toBe(503);
    expect(requests).toBe(2);
    expect((await alice.request('READ', `${ID}/small`)).status).toBe(503);
    expect((await alice.request('WRITE', `${ID}/small`, { body: 'new' })).status).toBe(503);
    expect(requests).toBe(4);
  });

  it('are kept for the next transfer', async () => {
    const { store, alice } = await start();
    for (let round = 0; round < 20; round++) {
      await alice.succeed('READ', `${ID}/small`);
    }
    expect(store.connections).toBeLessThan(20);
  });

  it('are closed when no next one comes', async () => {
    const { store, alice } = await start({ limits: { transferIdleSeconds: 0.2 } });
    const closed = Promise.withResolvers<void>();
    store.onTransfer = (request, response) => {
      request.socket.once('close', () => closed.resolve());
      response.writeHead(200, { 'content-length': 5 }).end('small');
    };
    await alice.succeed('READ', `${ID}/small`);
    await closed.promise;
  });

  it('F34 that do not come about are given up', async () => {
    const gateway = await startGateway({ limits: { transferConnectSeconds: 0.2, transferStallSeconds: 600 } });
    const alice = await gateway.logIn('alice');
    // Speaks no TLS, nor anything else.
    const silent = createServer();
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    const address = silent.address();
    const url = `https://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`;
    await gateway.bus.serve(ATTACHMENTS.read, async () => ({ fields: { url, size: '100' } }), { concurrency: 1 });
    expect((await alice.request('READ', `${ID}/small`)).status).toBe(503);
    silent.close();
  });
});
