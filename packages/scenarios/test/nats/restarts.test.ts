import { type BusErrorCode, isBusError } from '@fosp/bus';
import { type NatsServer, natsInstalled, startNats } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { connectTo, freshPrefix } from './ends.ts';
import { Ledger } from './ledger.ts';
import { observe, steppedBack } from './observer.ts';

const ALLOWED: readonly BusErrorCode[] = ['closed', 'deadline', 'no-responders'];

describe.skipIf(!natsInstalled())('a nats-server that starts anew', () => {
  it('fails calls by name while it is away, and none after; no call is handled twice', async () => {
    await using server: NatsServer = await startNats();
    const prefix = freshPrefix();
    const [caller, answerer] = await Promise.all([1, 2].map(() => connectTo(server.port, { prefix })));
    if (caller === undefined || answerer === undefined) {
      throw new Error('not connected');
    }
    const handled = new Map<string, number>();
    const echo = async ({ headers, body }: { headers: Readonly<Record<string, string>>; body: Uint8Array }) => {
      const id = headers['id'] ?? '';
      handled.set(id, (handled.get(id) ?? 0) + 1);
      return { headers, body };
    };
    await answerer.serve('restart.echo', echo, { concurrency: 100 });
    const gaps: string[] = [];
    caller.onGap((reason) => gaps.push(reason));

    const failures: unknown[] = [];
    let answered = 0;
    let goOn = true;
    const call = async (id: string) => {
      const context = { deadline: Date.now() + 2_000, requestId: id };
      const answer = await caller.request('restart.echo', { headers: { id }, body: new Uint8Array(10) }, context);
      expect(answer.headers['id']).toBe(id);
      answered++;
    };
    const callers = Array.from({ length: 8 }, async (_, index) => {
      for (let count = 0; goOn; count++) {
        await call(`${index}-${count}`).catch(async (error: unknown) => {
          failures.push(error);
          await new Promise((resolve) => setTimeout(resolve, 5));
        });
      }
    });
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const before = answered;
      while (answered < before + 200) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      await server.restart(signal);
    }
    const before = answered;
    while (answered < before + 200) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    goOn = false;
    await Promise.all(callers);
    const codes = failures.map((error) => (isBusError(error) ? error.code : String(error)));
    expect(codes.length).toBeGreaterThan(0);
    expect(codes.filter((code) => !ALLOWED.some((allowed) => allowed === code))).toEqual([]);
    expect([...handled.values()].filter((count) => count > 1)).toEqual([]);
    // One more where a link broke again before it was whole.
    expect(gaps.length).toBeGreaterThanOrEqual(2);
    await Promise.all([caller.drain(), answerer.drain()]);
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)('has every message that it confirmed, in order (%s)', async (signal) => {
    await using server: NatsServer = await startNats();
    const prefix = freshPrefix();
    const feed = await connectTo(server.port, { prefix });
    const taker = await connectTo(server.port, { prefix });
    const ledger = new Ledger();
    await ledger.consume(taker, 'taker');
    let refusals = 0;
    let kept = 0;
    let goOn = true;
    const feeding = ['a@x', 'b@x', 'c@x', 'd@x'].map(async (key) => {
      while (goOn) {
        refusals += await ledger.append(feed, key);
        kept++;
      }
    });
    const more = async () => {
      const before = kept;
      while (kept < before + 200) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await more();
    await server.restart(signal);
    await more();
    goOn = false;
    await Promise.all(feeding);
    await ledger.complete();
    expect(refusals).toBeGreaterThan(0);
    expect(ledger.early).toEqual([]);
    await using observer = await observe(server.url, prefix);
    await observer.until('a cursor', (leases) => Number(leases.get('ledger.changes.3')?.value) >= kept);
    expect(steppedBack(observer.history)).toEqual([]);
    await Promise.all([feed.drain(), taker.drain()]);
  });
});
