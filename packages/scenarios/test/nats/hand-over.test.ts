import { type NatsServer, natsInstalled, startNats } from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectThroughProxy, connectTo, freshPrefix } from './ends.ts';
import { Ledger } from './ledger.ts';
import { observe, steppedBack } from './observer.ts';

const KEYS = ['a@x', 'b@x', 'c@x', 'd@x', 'e@x'];
const LEASE = 'ledger.changes.3';

describe.skipIf(!natsInstalled())('hand-over of a partition', () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNats();
  });
  afterAll(() => server.stop());

  it.each(['refuse', 'pause'] as const)(
    'goes on where an owner died (%s): nothing lost, nothing early',
    async (how) => {
      const prefix = freshPrefix();
      await using observer = await observe(server.url, prefix);
      await using owner = await connectThroughProxy(server, { prefix, holder: 'owner' });
      await using next = await connectThroughProxy(server, { prefix, holder: 'next' });
      const ledger = new Ledger();
      await ledger.consume(owner.transport, 'owner');
      await ledger.consume(next.transport, 'next');

      const round = () => Promise.all(KEYS.map((key) => ledger.append(next.transport, key)));
      for (let count = 0; count < 40; count++) {
        await round();
        if (count === 10) {
          await ledger.complete();
        } else if (count === 20) {
          owner.proxy[how]();
        }
      }
      await ledger.complete();
      expect(ledger.perTaker.get('owner')).toBeGreaterThan(0);
      expect(ledger.perTaker.get('next')).toBeGreaterThan(0);
      await observer.until('the next one to hold it', (leases) => leases.get(LEASE)?.holder === 'next');

      owner.proxy.resume();
      await round();
      await ledger.complete();
      await observer.until('the cursor to arrive', (leases) => leases.get(LEASE)?.value === String(41 * KEYS.length));
      expect(ledger.early).toEqual([]);
      expect(steppedBack(observer.history)).toEqual([]);
      expect(new Set(observer.history.map(({ holder }) => holder))).toEqual(new Set(['owner', 'next']));
    },
  );

  it('refuses what a stale owner saves, who does not even know that time has passed', async () => {
    const prefix = freshPrefix();
    await using observer = await observe(server.url, prefix);
    await using stale = await connectThroughProxy(server, { prefix, holder: 'stale', now: () => 1 });
    const next = await connectTo(server.port, { prefix, holder: 'next' });
    await Promise.all([stale.transport.leases.start(), next.leases.start()]);
    const old = await stale.transport.leases.acquire('work');
    await old?.save('1');
    expect(await next.leases.acquire('work')).toBeUndefined();

    stale.proxy.pause();
    const taken = Promise.withResolvers<void>();
    next.leases.onChange(async () => {
      const lease = await next.leases.acquire('work');
      if (lease !== undefined) {
        expect(lease.value).toBe('1');
        await lease.save('2');
        taken.resolve();
      }
    });
    await taken.promise;
    const saving = old?.save('0');
    stale.proxy.resume();
    await expect(saving).rejects.toThrow('wrong last sequence');
    expect(old?.lost.aborted).toBe(true);
    await observer.until('the value of the next one', (leases) => leases.get('work')?.value === '2');
    expect(steppedBack(observer.history)).toEqual([]);
    await next.drain();
  });

  it('does not wait anew in a process that begins after the death of an owner, and robs nobody who lives', async () => {
    const options = { prefix: freshPrefix(), leaseTimeToLive: 6_000 };
    await using dead = await connectThroughProxy(server, { ...options, holder: 'dead' });
    const living = await connectTo(server.port, { ...options, holder: 'living' });
    await Promise.all([dead.transport.leases.start(), living.leases.start()]);
    expect(await dead.transport.leases.acquire('left')).toBeDefined();
    expect(await living.leases.acquire('kept')).toBeDefined();
    dead.proxy.refuse();
    await expect.poll(() => living.leases.members.isAlive('dead')).toBe(false);

    // Its clock stands still: nobody can seem dead to it by what passed since it began.
    const late = await connectTo(server.port, { ...options, holder: 'late', now: () => 1 });
    await late.leases.start();
    await expect.poll(() => late.leases.acquire('left')).toBeDefined();
    expect(late.leases.members.isAlive('living')).toBe(true);
    expect(await late.leases.acquire('kept')).toBeUndefined();
    await Promise.all([late.drain(), living.drain()]);
  });

  it('brings what a key was blocked at, and what came behind it, to the next owner', async () => {
    const prefix = freshPrefix();
    const owner = await connectTo(server.port, { prefix, holder: 'owner' });
    const next = await connectTo(server.port, { prefix, holder: 'next' });
    const ledger = new Ledger();
    await ledger.consume(owner, 'owner', { failsAt: 'a@x/3' });
    await ledger.consume(next, 'next');
    for (let count = 0; count < 30; count++) {
      await Promise.all(KEYS.map((key) => ledger.append(next, key)));
    }
    await ledger.complete(KEYS.slice(1));
    expect(ledger.lastOf('a@x')).toBe(2);
    await owner.drain();
    await ledger.complete();
    expect(ledger.early).toEqual([]);
    expect(ledger.repeats).toBeGreaterThan(0);
    await next.drain();
  });

  it('does not happen where a link breaks now and then; all that handlers publish still arrives in order', async () => {
    const prefix = freshPrefix();
    await using observer = await observe(server.url, prefix);
    await using owner = await connectThroughProxy(server, { prefix, reconnectPause: 20 });
    const far = await connectTo(server.port, { prefix });
    const told = new Ledger();
    const given = new Ledger();
    await far.subscribe('told', (message) => told.take(message, 'far'));
    const cutAfter = new Set<number>();
    await given.consume(owner.transport, 'owner', {
      tell: (message) => {
        owner.transport.publish('told', { headers: message.headers, body: message.body });
        if (message.position % 75 === 0 && !cutAfter.has(message.position)) {
          cutAfter.add(message.position);
          owner.proxy.cut();
        }
      },
    });
    for (let count = 0; count < 150; count++) {
      await Promise.all(KEYS.map(async (key) => [await given.append(far, key), told.expect(key)]));
    }
    await given.complete();
    await told.complete();
    expect([told.early, given.early]).toEqual([[], []]);
    expect(cutAfter.size).toBe(10);
    expect(given.repeats).toBeGreaterThanOrEqual(10);
    expect(steppedBack(observer.history)).toEqual([]);
    await far.drain();
  });

  it('is at once where an owner drains', async () => {
    const prefix = freshPrefix();
    const longLived = { prefix, leaseTimeToLive: 60_000 };
    await using observer = await observe(server.url, prefix);
    const owner = await connectTo(server.port, { ...longLived, holder: 'owner' });
    const next = await connectTo(server.port, { ...longLived, holder: 'next' });
    const ledger = new Ledger();
    await ledger.consume(owner, 'owner');
    await ledger.consume(next, 'next');
    const appending = KEYS.map(async (key) => {
      for (let count = 0; count < 50; count++) {
        await ledger.append(next, key);
      }
    });
    await ledger.append(next, 'first@x');
    await ledger.complete();
    await owner.drain();
    await Promise.all(appending);
    await ledger.append(next, 'last@x');
    await ledger.complete();
    expect(ledger.perTaker.get('owner')).toBeGreaterThan(0);
    expect(ledger.perTaker.get('next')).toBeGreaterThan(0);
    expect([ledger.early, ledger.repeats]).toEqual([[], 0]);
    expect(observer.history.at(-1)?.holder).toBe('next');
    await next.drain();
  });

  it('finds the lease lost at its last holder, who could not confirm that it lives, before it is taken', async () => {
    const prefix = freshPrefix();
    await using owner = await connectThroughProxy(server, { prefix });
    const next = await connectTo(server.port, { prefix });
    await next.leases.start();
    const lease = await owner.transport.leases.acquire('work');
    owner.proxy.pause();
    const lostWhenTaken = Promise.withResolvers<boolean | undefined>();
    next.leases.onChange(async () => {
      if ((await next.leases.acquire('work')) !== undefined) {
        lostWhenTaken.resolve(lease?.lost.aborted);
      }
    });
    expect(await lostWhenTaken.promise).toBe(true);
    await next.drain();
  });
});
