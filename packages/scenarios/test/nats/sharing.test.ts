import { CHANGE_PARTITIONS, STREAMS } from '@fosp/bus';
import { type NatsServer, natsInstalled, startNats } from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectTo, freshPrefix } from './ends.ts';
import { Ledger } from './ledger.ts';
import { type LeaseEntry, observe, steppedBack } from './observer.ts';

const SUBJECTS = Array.from({ length: CHANGE_PARTITIONS }, (_, index) => `${STREAMS.changes}.${index}`);

function heldBy(leases: ReadonlyMap<string, LeaseEntry>, holder: string): number {
  return [...leases.values()].filter((lease) => lease.holder === holder).length;
}

describe.skipIf(!natsInstalled())('partitions', () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNats();
  });
  afterAll(() => server.stop());

  it('of other work are shared evenly too, and go on elsewhere', async () => {
    const prefix = freshPrefix();
    const parts = Array.from({ length: 12 }, (_, index) => String(index));
    const join = async () => {
      const transport = await connectTo(server.port, { prefix });
      const doing = new Set<string>();
      const work = (part: string) => async (ending: AbortSignal) => {
        doing.add(part);
        await new Promise((resolve) => ending.addEventListener('abort', resolve));
        doing.delete(part);
      };
      await Promise.all(parts.map((part) => transport.share({ group: 'work', part, work: work(part) })));
      return { transport, doing };
    };
    const one = await join();
    await expect.poll(() => one.doing.size).toBe(12);
    const other = await join();
    await expect.poll(() => [one.doing.size, other.doing.size]).toEqual([6, 6]);
    expect(new Set([...one.doing, ...other.doing]).size).toBe(12);
    await one.transport.drain();
    expect(one.doing.size).toBe(0);
    await expect.poll(() => other.doing.size).toBe(12);
    await other.transport.drain();
  });

  it('are shared evenly by competing consumers, as these come and go', async () => {
    const prefix = freshPrefix();
    await using observer = await observe(server.url, prefix);
    const ledger = new Ledger();
    const join = async (holder: string) => {
      const transport = await connectTo(server.port, { prefix, holder });
      await Promise.all(SUBJECTS.map((subject) => ledger.consume(transport, holder, { subject })));
      return transport;
    };
    const feed = await connectTo(server.port, { prefix });
    const round = () => Promise.all(SUBJECTS.map((subject) => ledger.append(feed, subject, subject)));
    const share = (counts: Record<string, number>) =>
      observer.until(`shares of ${JSON.stringify(counts)}`, (leases) =>
        Object.entries(counts).every(([holder, count]) => heldBy(leases, holder) === count),
      );

    const one = await join('one');
    await share({ one: 16 });
    await round();
    const two = await join('two');
    await round();
    await share({ one: 8, two: 8 });
    const three = await join('three');
    await round();
    await observer.until('nobody to have more than a third, rounded up', (leases) => {
      const counts = ['one', 'two', 'three'].map((holder) => heldBy(leases, holder));
      return counts.every((count) => count <= 6) && counts.reduce((sum, count) => sum + count) === 16;
    });
    await round();
    await ledger.complete();
    await Promise.all([one.drain(), three.drain()]);
    await share({ two: 16 });
    await round();
    await ledger.complete();

    expect(ledger.early).toEqual([]);
    expect([...ledger.perTaker.keys()].sort()).toEqual(['one', 'three', 'two']);
    expect(steppedBack(observer.history)).toEqual([]);
    await Promise.all([two.drain(), feed.drain()]);
  });
});
