/** Trees that tell domains which nobody has, beside others, on a real NATS. */
import { Bus, type ChangeEvent, type Following } from '@fosp/bus';
import { connectNats } from '@fosp/bus/nats';
import { EVENT_BITS } from '@fosp/protocol';
import { createLog, Metrics } from '@fosp/runtime';
import { ALICE, BOB, natsInstalled, REALWORLD, SISTER, startNats, WONDERLAND } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { createNotificationsService, type NotificationsOptions } from '../src/index.ts';

const KIB = 1024;

function changeFor(tree: string, users: readonly string[], size = 10): ChangeEvent {
  const acl = JSON.stringify({ users: Object.fromEntries(users.map((user) => [user, ['read-data']])) });
  const times = { btime: '2026-11-20T12:00:00.000Z', mtime: '2026-11-20T12:00:00.000Z' };
  const object = { owner: tree, ...times, data: `"${'x'.repeat(size)}"` };
  return {
    event: 'UPDATED',
    user: tree,
    objects: [{ path: '', owner: tree, levels: [acl], object, shown: [] }],
    subscriptions: users.map((user) => ({ user, path: '', depth: 0, events: EVENT_BITS.UPDATED })),
  };
}

async function start(url: string, options: NotificationsOptions) {
  const bus = new Bus(await connectNats({ url, appendTimeout: 60_000 }));
  const metrics = new Metrics();
  const log = await createLog({ name: 'test', level: 'silent' });
  const service = createNotificationsService({ bus, domains: [WONDERLAND], federation: true, log, metrics, options });
  await service.start();
  const sequences = new Map<string, number>();
  const count = async (name: string) => {
    const line = (await metrics.text()).body.split('\n').find((each) => each.startsWith(`${name} `));
    return Number(line?.split(' ').at(-1) ?? 0);
  };
  return {
    bus,
    count,
    /** Resolves once all were told, or not. */
    change: async (event: ChangeEvent) => {
      const tree = event.user;
      const sequence = (sequences.get(tree) ?? 0) + 1;
      sequences.set(tree, sequence);
      const before = await count('fosp_notifications_changes_total');
      await bus.appendChange({ tree, sequence: String(sequence) }, Buffer.from(JSON.stringify(event)));
      await expect.poll(() => count('fosp_notifications_changes_total'), { timeout: 60_000 }).toBe(before + 1);
    },
    refused: () => count('fosp_notifications_remote_refused_total'),
    [Symbol.asyncDispose]: async () => {
      await service.drain();
      await bus.drain();
    },
  };
}

describe.skipIf(!natsInstalled())('what one tree may have waiting for other domains', () => {
  const madeUp = (count: number, label = 'nobody') =>
    Array.from({ length: count }, (_, index) => `x@${label}-${index}.example`);
  const QUICK = { lookPause: 10, looks: 3 };

  it('F59 is bounded by domains: others are told as before, by it and by other trees', async () => {
    await using nats = await startNats();
    const waitingPerTree = { domains: 20, notifications: 1000, bytes: 1024 * KIB };
    await using test = await start(nats.url, { ...QUICK, waitingPerTree });
    const { bus, change, refused } = test;
    const told: string[] = [];
    let following: Following | undefined;
    following = await bus.consumeRemote({ own: WONDERLAND, domain: REALWORLD }, {}, (notifications) => {
      told.push(...notifications.map(({ headers }) => `${headers.tree} ${headers.sequence}`));
      following?.acknowledge(notifications.at(-1)?.position ?? 0);
    });
    await change(changeFor(ALICE, [SISTER]));
    await expect.poll(() => bus.queueLength(REALWORLD), { timeout: 60_000 }).toBe(0);
    await change(changeFor(ALICE, madeUp(200)));
    expect([...(await bus.queueLengths()).keys()].filter((domain) => domain !== REALWORLD)).toHaveLength(20);
    expect(await refused()).toBe(180);
    await change(changeFor(ALICE, [...madeUp(50, 'others'), SISTER]));
    expect(await refused()).toBe(180 + 50);
    await change(changeFor(BOB, [SISTER, ...madeUp(5, 'bobs')]));
    await expect.poll(() => told, { timeout: 60_000 }).toEqual([`${ALICE} 1`, `${ALICE} 3`, `${BOB} 1`]);
    expect(await refused()).toBe(180 + 50);
    expect([...(await bus.queueLengths()).keys()].filter((domain) => domain !== REALWORLD)).toHaveLength(25);
    await following.stop();
  });

  it('F59 is bounded by what it takes up, and one domain that is away leaves room for others', async () => {
    await using nats = await startNats();
    const waitingPerTree = { domains: 100, notifications: 1000, bytes: 400 * KIB };
    await using test = await start(nats.url, { ...QUICK, waitingPerTree });
    const { bus, change, refused } = test;
    const [away = '', ...others] = madeUp(5);
    for (let count = 0; count < 20; count++) {
      await change(changeFor(ALICE, [away], 9 * KIB));
    }
    expect(await bus.queueLength('nobody-0.example')).toBe(10);
    expect(await refused()).toBe(10);
    await change(changeFor(ALICE, others, 9 * KIB));
    expect(await refused()).toBe(10);
    for (let count = 0; count < 20; count++) {
      await change(changeFor(ALICE, others, 9 * KIB));
    }
    const lengths = [...(await bus.queueLengths()).values()].map((lines) => lines.get(WONDERLAND) ?? 0);
    const waiting = lengths.reduce((sum, length) => sum + length, 0);
    expect(waiting * 9).toBeLessThanOrEqual(400);
    expect(waiting).toBeGreaterThan(30);
    expect(await refused()).toBe(20 + 21 * 4 - waiting);

    // Once what waits is gone, by whatever way, there is room again.
    await Promise.all(
      [away, ...others].map((user) =>
        bus.trimQueue({ own: WONDERLAND, domain: user.slice(2) }, { messages: 0, bytes: 0 }),
      ),
    );
    const before = await refused();
    await expect
      .poll(
        async () => {
          await change(changeFor(ALICE, [away], 9 * KIB));
          return bus.queueLength('nobody-0.example');
        },
        { timeout: 60_000 },
      )
      .toBeGreaterThan(0);
    expect(await refused()).toBeGreaterThanOrEqual(before);
  });

  it('F59 counts no longer once it was taken, however much that is', async () => {
    await using nats = await startNats();
    const waitingPerTree = { domains: 8, notifications: 40, bytes: 400 * KIB };
    // Patient: on a busy machine it takes its time until what waits is taken.
    await using test = await start(nats.url, { waitingPerTree, lookPause: 20, looks: 3000 });
    const { bus, change, refused } = test;
    const users = madeUp(40, 'alive');
    const told = new Set<string>();
    const followings = await Promise.all(
      users.map(async (user) => {
        let following: Following | undefined;
        following = await bus.consumeRemote({ own: WONDERLAND, domain: user.slice(2) }, {}, (notifications) => {
          for (const { headers } of notifications) {
            told.add(`${headers.user} ${headers.sequence}`);
          }
          following?.acknowledge(notifications.at(-1)?.position ?? 0);
        });
        return following;
      }),
    );
    for (let count = 0; count < 5; count++) {
      await change(changeFor(ALICE, users, 9 * KIB));
    }
    await expect.poll(() => told.size, { timeout: 60_000 }).toBe(5 * users.length);
    expect(await refused()).toBe(0);
    await Promise.all(followings.map((following) => following.stop()));
  });
});
