/** What an older program kept for another domain, in one line for all domains of ours, during an upgrade and after it. */
import {
  Bus,
  type Following,
  federationPlaces,
  type RemoteNotification,
  remoteNotificationId,
  type Transport,
} from '@fosp/bus';
import { type NatsServer, natsInstalled, startNats, within } from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectTo, freshPrefix } from './ends.ts';

const PEER = 'realworld.lit';
const [WONDERLAND, LOOKING_GLASS] = ['wonderland.lit', 'looking-glass.lit'];

/** `number` is said in the order in which all are appended. */
function headersOf(number: number, own: string) {
  const rest = { path: '/a', event: 'UPDATED', source: 'x', part: '0', user: `sister@${PEER}` } as const;
  return { ...rest, tree: `alice@${own}`, sequence: String(number) };
}

/** As programs did before lines were of one domain of ours. */
function appendAsBefore(transport: Transport, number: number, own: string): Promise<void> {
  const { stream, older } = federationPlaces(PEER);
  const headers = headersOf(number, own);
  return transport.append(stream, older, { headers, body: new Uint8Array(3), id: remoteNotificationId(headers) });
}

async function follow(bus: Bus, own: string, { window = 50, acknowledges = true } = {}) {
  const fed: RemoteNotification[] = [];
  const waiting = new Set<() => void>();
  let following: Following | undefined;
  following = await bus.consumeRemote({ own, domain: PEER }, { window }, (notifications) => {
    fed.push(...notifications);
    for (const look of waiting) {
      look();
    }
    if (acknowledges) {
      following?.acknowledge(fed.at(-1)?.position ?? 0);
    }
  });
  const numbers = () => fed.map(({ headers }) => Number(headers.sequence));
  return {
    following,
    numbers,
    positions: () => fed.map(({ position }) => position),
    async until(count: number): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = () => (fed.length >= count ? resolve() : undefined);
      waiting.add(look);
      look();
      await within(promise, `${count} notifications`).finally(() => waiting.delete(look));
    },
  };
}

describe.skipIf(!natsInstalled())('what an older program kept for another domain', () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNats();
  });
  afterAll(() => server.stop());

  it('F59 is told before and between what is kept now, in the order of the stream, and goes when acknowledged', async () => {
    const transport = await connectTo(server.port, {
      prefix: freshPrefix(),
      follower: { olderPause: 20, retryPause: 1 },
    });
    const bus = new Bus(transport);
    const append = (number: number, own: string) => bus.appendRemote(PEER, headersOf(number, own));
    for (let number = 1; number <= 90; number += 3) {
      await appendAsBefore(transport, number, WONDERLAND);
      await appendAsBefore(transport, number + 1, LOOKING_GLASS);
      await (number < 45 ? appendAsBefore(transport, number + 2, WONDERLAND) : append(number + 2, WONDERLAND));
    }
    expect(await bus.lineLengths(PEER)).toEqual(
      new Map([
        ['', 75],
        [WONDERLAND, 15],
      ]),
    );
    const stuck = await follow(bus, LOOKING_GLASS, { window: 5, acknowledges: false });
    const flowing = await follow(bus, WONDERLAND);
    await flowing.until(60);
    const expected = Array.from({ length: 90 }, (_, at) => at + 1).filter((number) => number % 3 !== 2);
    expect(flowing.numbers()).toEqual(expected);

    // A process that is replaced last goes on as before; one that is idle meanwhile tells what it kept, too.
    await appendAsBefore(transport, 91, WONDERLAND);
    await flowing.until(61);
    await appendAsBefore(transport, 92, WONDERLAND);
    await append(93, WONDERLAND);
    await append(94, WONDERLAND);
    await flowing.until(64);
    expect(flowing.numbers().slice(60)).toEqual([91, 92, 93, 94]);
    const positions = flowing.positions();
    expect(positions).toEqual([...positions].sort((one, other) => one - other));
    await flowing.following.stop();
    expect(stuck.numbers()).toEqual([2, 5, 8, 11, 14]);
    expect(await bus.lineLengths(PEER)).toEqual(new Map([['', 30]]));
    await bus.drain();
  });

  it('F59 is told by the one who follows next, where the first did not come to it', async () => {
    const transport = await connectTo(server.port, { prefix: freshPrefix() });
    const bus = new Bus(transport);
    for (let number = 1; number <= 20; number++) {
      await appendAsBefore(transport, number, WONDERLAND);
    }
    const first = await follow(bus, WONDERLAND, { window: 8, acknowledges: false });
    await first.until(8);
    first.following.acknowledge(first.positions()[3] ?? 0);
    await first.following.stop();
    const next = await follow(bus, WONDERLAND);
    await next.until(16);
    expect(next.numbers()).toEqual(Array.from({ length: 16 }, (_, at) => at + 5));
    await next.following.stop();
    expect(await bus.lineLengths(PEER)).toEqual(new Map());
    await bus.drain();
  });
});
