import type { HeldLease, Transport } from '@fosp/bus';
import { type NatsServer, natsInstalled, startNats, within } from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectThroughProxy, connectTo, freshPrefix } from './ends.ts';
import { observe } from './observer.ts';

/** Asks again and again; with how often it was refused. */
async function untilGranted(transport: Transport, name: string): Promise<{ lease: HeldLease; refusals: number }> {
  for (let refusals = 0; ; refusals++) {
    const lease = await transport.lease(name);
    if (lease !== undefined) {
      return { lease, refusals };
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe.skipIf(!natsInstalled())('leases of any number of names', () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNats();
  });
  afterAll(() => server.stop());

  it.each(['refuse', 'pause'] as const)(
    'are free within their time to live where the holder died (%s), who knows by then',
    async (how) => {
      const prefix = freshPrefix();
      await using holder = await connectThroughProxy(server, { prefix });
      const next = await connectTo(server.port, { prefix });
      const held = await holder.transport.lease('peer.one');
      expect(await next.lease('peer.one')).toBeUndefined();
      holder.proxy[how]();
      const { refusals } = await within(untilGranted(next, 'peer.one'), 'the lease of a dead holder');
      expect(refusals).toBeGreaterThan(0);
      expect(held?.lost.aborted).toBe(true);
      await held?.release();
      expect(await next.lease('peer.one')).toBeUndefined();
      await next.drain();
    },
  );

  it('leave nothing behind when they are released, and those of others stay', async () => {
    const prefix = freshPrefix();
    await using observer = await observe(server.url, prefix);
    const [one, other] = await Promise.all([connectTo(server.port, { prefix }), connectTo(server.port, { prefix })]);
    const records = async () => (await observer.manager.streams.info(`KV_${prefix}leases`)).state.messages;
    const names = Array.from({ length: 50 }, (_, index) => `peer.${index}`);
    const held = await Promise.all(names.map((name, index) => (index % 2 === 0 ? one : other).lease(name)));
    expect(held.filter((lease) => lease !== undefined)).toHaveLength(50);
    expect(await records()).toBe(50);
    await Promise.all(held.slice(0, 49).map((lease) => lease?.release()));
    expect(await records()).toBe(1);
    expect(await one.lease('peer.49')).toBeUndefined();
    await Promise.all([one.drain(), other.drain()]);
    expect(await records()).toBeLessThanOrEqual(1);
  });

  it('go round among many who want them, each to one at a time', async () => {
    const prefix = freshPrefix();
    const ends = await Promise.all([1, 2, 3].map(() => connectTo(server.port, { prefix })));
    let holders = 0;
    let most = 0;
    let turns = 0;
    await Promise.all(
      ends.map(async (end) => {
        for (let count = 0; count < 15; count++) {
          const { lease } = await untilGranted(end, 'peer.round');
          most = Math.max(most, ++holders);
          turns++;
          await new Promise((resolve) => setImmediate(resolve));
          holders--;
          await lease.release();
        }
      }),
    );
    expect(turns).toBe(45);
    expect(most).toBe(1);
    await Promise.all(ends.map((end) => end.drain()));
  });
});
