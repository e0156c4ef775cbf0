import { FEDERATION_STREAMS, type FollowedMessage, type Following, type Transport } from '@fosp/bus';
import { type NatsServer, natsInstalled, startNats, within } from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectThroughProxy, connectTo, freshPrefix } from './ends.ts';
import { observe } from './observer.ts';

const [STREAM = ''] = FEDERATION_STREAMS;
const SUBJECT = `${STREAM}.one`;

/** Tries each message until it is kept, under one id, before the next. */
async function append(transport: Transport, from: number, to: number): Promise<void> {
  for (let number = from; number <= to; ) {
    const message = { headers: { number: String(number) }, body: new Uint8Array(10), id: String(number) };
    await transport.append(STREAM, SUBJECT, message).then(
      () => number++,
      () => new Promise((resolve) => setTimeout(resolve, 20)),
    );
  }
}

/** Follows, and keeps what it is fed; `acknowledges` at once, or leaves that to the test. */
async function follow(transport: Transport, { window = 50, acknowledges = true } = {}) {
  const fed: FollowedMessage[] = [];
  const waiting = new Set<() => void>();
  let following: Following | undefined;
  const feed = (messages: readonly FollowedMessage[]) => {
    fed.push(...messages);
    if (acknowledges) {
      following?.acknowledge(messages.at(-1)?.position ?? 0);
    }
    for (const look of waiting) {
      look();
    }
  };
  following = await transport.follow(STREAM, { subject: SUBJECT, window, windowBytes: 1_000_000, feed });
  const last = () => Number(fed.at(-1)?.headers['number'] ?? 0);
  return {
    fed,
    following,
    last,
    /** Resolves once this number was fed. */
    async until(number: number): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = () => (last() >= number ? resolve() : undefined);
      waiting.add(look);
      look();
      await within(promise, `number ${number}`).finally(() => waiting.delete(look));
    },
  };
}

function numbersOf(fed: readonly FollowedMessage[]): number[] {
  return fed.map(({ headers }) => Number(headers['number']));
}

function upTo(number: number): number[] {
  return Array.from({ length: number }, (_, index) => index + 1);
}

describe.skipIf(!natsInstalled())('a followed subject', () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNats();
  });
  afterAll(() => server.stop());

  it('goes on at the next one where the one who followed died, a little before where it was', async () => {
    const prefix = freshPrefix();
    await using owner = await connectThroughProxy(server, { prefix });
    const next = await connectTo(server.port, { prefix });
    const held = await owner.transport.lease('peer.one');
    const first = await follow(owner.transport);
    const appended = append(next, 1, 400);
    await first.until(100);
    owner.proxy.pause();
    let lease = await next.lease('peer.one');
    for (; lease === undefined; lease = await next.lease('peer.one')) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(held?.lost.aborted).toBe(true);
    const second = await follow(next);
    await appended;
    await second.until(400);
    const begun = Number(second.fed[0]?.headers['number']);
    expect(begun).toBeLessThanOrEqual(first.last() + 1);
    expect(numbersOf(second.fed)).toEqual(upTo(400).slice(begun - 1));
    expect(numbersOf(first.fed)).toEqual(upTo(first.last()));
    await second.following.stop();
    expect(await next.subjects(STREAM)).toEqual(new Map());
    await next.drain();
  });

  it('ends its consumer at the server where nothing is acknowledged for long, and begins anew', async () => {
    const prefix = freshPrefix();
    await using observer = await observe(server.url, prefix);
    const transport = await connectTo(server.port, { prefix, follower: { fullPatience: 20, retryPause: 1 } });
    const consumers = async () => (await observer.manager.streams.info(`${prefix}${STREAM}`)).state.consumer_count;
    const { fed, following, until, last } = await follow(transport, { window: 10, acknowledges: false });
    await append(transport, 1, 35);
    for (const full of [10, 20, 30]) {
      await until(full);
      while ((await consumers()) > 0) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      expect(last()).toBe(full);
      following.acknowledge(fed.at(-1)?.position ?? 0);
    }
    await until(35);
    expect(numbersOf(fed)).toEqual(upTo(35));
    await transport.drain();
    expect(await consumers()).toBe(0);
  });

  it('has positions above those of a stream that was there before', async () => {
    const prefix = freshPrefix();
    await using observer = await observe(server.url, prefix);
    const before = await connectTo(server.port, { prefix });
    const first = await follow(before);
    await append(before, 1, 100);
    await first.until(100);
    await before.drain();
    await observer.manager.streams.delete(`${prefix}${STREAM}`);
    const after = await connectTo(server.port, { prefix });
    const second = await follow(after);
    await append(after, 1, 2);
    await second.until(2);
    expect(second.fed[0]?.position).toBeGreaterThan(first.fed.at(-1)?.position ?? Number.POSITIVE_INFINITY);
    await after.drain();
  });
});

describe.skipIf(!natsInstalled())('a followed subject on a nats-server that starts anew', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)('is fed in order, and each message once (%s)', async (signal) => {
    await using server = await startNats();
    const prefix = freshPrefix();
    const [feeding, taking] = await Promise.all([1, 2].map(() => connectTo(server.port, { prefix })));
    if (feeding === undefined || taking === undefined) {
      throw new Error('not connected');
    }
    const { fed, following, until } = await follow(taking);
    await append(feeding, 1, 100);
    await until(100);
    const appended = append(feeding, 101, 300);
    await server.restart(signal);
    await appended;
    await until(300);
    expect(numbersOf(fed)).toEqual(upTo(300));
    // All may have been fed before the server went.
    await expect.poll(() => feeding.isUp && taking.isUp).toBe(true);
    await following.stop();
    expect(await feeding.subjects(STREAM)).toEqual(new Map());
    await Promise.all([feeding.drain(), taking.drain()]);
  });
});
