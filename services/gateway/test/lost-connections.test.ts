import type { ServerResponse } from 'node:http';
import { OBJECTS } from '@fosp/bus';
import { describe, expect, it } from 'vitest';
import { TestFileStore } from './file-store.ts';
import { HeldCalls, startGateway, type TestGateway } from './harness.ts';

const ALICE = 'alice@wonderland.lit';
const BOB = 'bob@wonderland.lit';

async function everybodyGone(gateway: TestGateway): Promise<void> {
  await expect.poll(() => gateway.metric('fosp_gateway_sessions'), { timeout: 60_000 }).toBe(0);
}

describe('what waits for its turn on a connection that is lost', () => {
  it('F13 is not begun any more, while what was begun goes on', async () => {
    const gateway = await startGateway();
    const held = await HeldCalls.of(gateway.bus, OBJECTS.update, OBJECTS.create);
    const alice = await gateway.logIn('alice');
    alice.request('UPDATE', `${ALICE}/a`, { body: '{}' }).catch(() => undefined);
    alice.request('CREATE', `${ALICE}/a/b`, { body: '{}' }).catch(() => undefined);
    alice.request('UPDATE', `${ALICE}/c`, { body: '{}' }).catch(() => undefined);
    // What comes behind it has come, so that it waits.
    await held.count(2);
    alice.wire.terminate();
    await everybodyGone(gateway);
    for (const { answer } of held.calls) {
      answer();
    }
    const bob = await gateway.logIn('bob');
    const after = bob.request('UPDATE', `${BOB}/d`, { body: '{}' });
    await held.count(3);
    held.calls[2]?.answer();
    expect((await after).status).toBe(204);
    expect(held.calls.map(({ path }) => path)).toEqual(['/a', '/c', '/d']);
  });

  it('F13 is done all the same where the client closed it', async () => {
    const gateway = await startGateway();
    const held = await HeldCalls.of(gateway.bus, OBJECTS.update);
    const alice = await gateway.logIn('alice');
    for (const body of ['{"data":1}', '{"data":2}']) {
      alice.request('UPDATE', `${ALICE}/a`, { body }).catch(() => undefined);
    }
    await held.count(1);
    alice.wire.close();
    await everybodyGone(gateway);
    held.calls[0]?.answer();
    await held.count(2);
    held.calls[1]?.answer();
  });

  it('F31 is not stored, though all of it came, and takes no memory any more', async () => {
    const gateway = await startGateway({ limits: { transfersPerConnection: 1 } });
    const store = await TestFileStore.serve(gateway.bus);
    const first = Promise.withResolvers<ServerResponse>();
    store.onTransfer = (request, response) => {
      store.onTransfer = undefined;
      request.on('end', () => first.resolve(response)).resume();
    };
    const held = await HeldCalls.of(gateway.bus, OBJECTS.update);
    const alice = await gateway.logIn('alice');
    for (const path of ['/a', '/b', '/b']) {
      alice.request('WRITE', `${ALICE}${path}`, { body: Buffer.alloc(1000) }).catch(() => undefined);
    }
    alice.request('UPDATE', `${ALICE}/c`, { body: '{}' }).catch(() => undefined);
    await held.count(1);
    const response = await first.promise;
    alice.wire.terminate();
    await everybodyGone(gateway);
    response.writeHead(500).end();
    held.calls[0]?.answer();
    await expect.poll(() => gateway.metric('fosp_gateway_transit_bytes'), { timeout: 60_000 }).toBe(0);
    const bob = await gateway.logIn('bob');
    await bob.succeed('WRITE', `${BOB}/d`, { body: 'tea' });
    expect([...store.files.keys()]).toEqual(['/d']);
  });
});
