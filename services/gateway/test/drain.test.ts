import { fileURLToPath } from 'node:url';
import { OBJECTS } from '@fosp/bus';
import { TestSession, WireClient } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { TestFileStore } from './file-store.ts';
import { HeldCalls, startGateway } from './harness.ts';
import { RawConnection } from './raw-connection.ts';

describe('a gateway that stops', () => {
  it('F68 closes idle connections with 1012, and takes no new ones', async () => {
    const gateway = await startGateway();
    const sessions = await Promise.all([
      gateway.logIn('alice'),
      gateway.logIn('queen'),
      TestSession.connect(gateway.url),
    ]);
    await gateway.service.drain();
    const closed = await Promise.all(sessions.map((session) => session.wire.closed));
    expect(closed.map(({ code }) => code)).toEqual([1012, 1012, 1012]);
    await expect(WireClient.open(gateway.url)).rejects.toThrow('ECONNREFUSED');
    expect(await gateway.metric('fosp_gateway_sessions')).toBe(0);
  });

  it('F68 answers what is in flight before it closes a connection, and turns new ones away meanwhile', async () => {
    const gateway = await startGateway({ limits: { graceSeconds: 60 } });
    const held = await HeldCalls.of(gateway.bus, OBJECTS.update);
    const store = await TestFileStore.serve(gateway.bus);
    store.files.set('/file', { bytes: Buffer.alloc(3_000_000), fields: {} });
    const alice = await gateway.logIn('alice');
    const update = alice.request('UPDATE', 'alice@wonderland.lit', { body: '{}' });
    await held.count(1);
    alice.wire.pause();
    const read = alice.request('READ', 'alice@wonderland.lit/file');
    const bob = await gateway.logIn('bob');
    const file = await bob.succeed('READ', 'bob@wonderland.lit/file');
    const drained = gateway.service.drain();
    await expect(WireClient.open(gateway.url)).rejects.toThrow('503');
    expect((await bob.wire.closed).code).toBe(1012);
    alice.wire.resume();
    held.calls[0]?.answer();
    expect((await update).status).toBe(204);
    expect((await read).body.equals(file.body)).toBe(true);
    expect((await alice.wire.closed).code).toBe(1012);
    await drained;
  });

  it('F68 goes on as before until load balancers have noticed, for the time they are given', async () => {
    const gateway = await startGateway({ limits: { noticeSeconds: 5 } });
    const drained = gateway.service.drain();
    const alice = await gateway.logIn('alice');
    expect((await alice.wire.closed).code).toBe(1012);
    await expect(WireClient.open(gateway.url)).rejects.toThrow(/503|ECONNREFUSED/);
    await drained;
  });

  it('F68 does not wait for ever for what is never answered, and closes with 1001 where it may yet have its effect', async () => {
    const gateway = await startGateway({ limits: { graceSeconds: 0.05, handshakeSeconds: 60 } });
    const held = await HeldCalls.of(gateway.bus, OBJECTS.select);
    const alice = await gateway.logIn('alice');
    const cut = expect(alice.request('SELECT', 'alice@wonderland.lit')).rejects.toThrow('1001');
    await held.count(1);
    await gateway.service.drain();
    await cut;
  });
  it('F68 does not wait for a TLS handshake, or a request, that never comes', async () => {
    const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
    const gateway = await startGateway({
      environment: { FOSP_TLS_CERT: fixture('localhost.pem'), FOSP_TLS_KEY: fixture('localhost-key.pem') },
      limits: { httpSeconds: 600 },
    });
    const silent = await Promise.all(
      [gateway.url, gateway.secureUrl].map((url) => RawConnection.open(Number(new URL(url).port))),
    );
    await gateway.service.drain();
    await Promise.all(silent.map(({ closed }) => closed));
  });
});
