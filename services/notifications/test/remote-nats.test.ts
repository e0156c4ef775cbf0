/** Notifications for users of other domains, from changes to what whoever holds the links is fed, while links and servers break. */
import { Bus, type ChangeEvent, type Following, type RemoteNotification } from '@fosp/bus';
import { connectNats, type NatsTransport } from '@fosp/bus/nats';
import { EVENT_BITS } from '@fosp/protocol';
import { createLog, Metrics } from '@fosp/runtime';
import {
  ALICE,
  BOB,
  natsInstalled,
  QUEEN,
  REALWORLD,
  SISTER,
  startNats,
  startProxy,
  WONDERLAND,
  within,
} from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { createNotificationsService } from '../src/index.ts';

const TREES = [ALICE, BOB, QUEEN];
const READERS = [SISTER, `brother@${REALWORLD}`];
const CHANGES = 60;
const QUIET = { log: () => {} };

const ACL = JSON.stringify({ users: Object.fromEntries(READERS.map((user) => [user, ['read-data']])) });

function connectTo(port: number): Promise<NatsTransport> {
  const often = { reconnectPause: 20, pingInterval: 60_000, reader: { retryPause: 1, savePause: 10 } };
  return connectNats({ url: `nats://127.0.0.1:${port}`, ...often });
}

function changeOf(tree: string): Uint8Array {
  const levels = [ACL];
  const object = { owner: tree, btime: '2026-11-20T12:00:00.000Z', mtime: '2026-11-20T12:00:00.000Z', data: '1' };
  const event: ChangeEvent = {
    event: 'UPDATED',
    user: tree,
    objects: [{ path: '', owner: tree, levels, object, shown: [] }],
    subscriptions: READERS.map((user) => ({ user, path: '', depth: 0, events: EVENT_BITS.UPDATED })),
  };
  return Buffer.from(JSON.stringify(event));
}

/** As an outbox does: each change until it is kept, before the next. */
async function feedTree(bus: Bus, tree: string): Promise<void> {
  const body = changeOf(tree);
  for (let sequence = 1; sequence <= CHANGES; ) {
    await bus.appendChange({ tree, sequence: String(sequence) }, body).then(
      () => sequence++,
      () => new Promise((resolve) => setTimeout(resolve, 20)),
    );
  }
}

/** What each reader was told of each tree: sequences as they came first, and how many came again. */
class Told {
  readonly sequences = new Map<string, number[]>();
  repeats = 0;
  #complete = Promise.withResolvers<void>();

  take({ headers: { tree, user, sequence } }: RemoteNotification): void {
    const key = `${user} ${tree}`;
    const known = this.sequences.get(key) ?? [];
    this.sequences.set(key, known);
    if (known.includes(Number(sequence))) {
      this.repeats++;
    } else {
      known.push(Number(sequence));
    }
    const count = [...this.sequences.values()].reduce((sum, each) => sum + each.length, 0);
    if (count === TREES.length * READERS.length * CHANGES) {
      this.#complete.resolve();
    }
  }

  complete(): Promise<void> {
    return within(this.#complete.promise, 'all notifications for the other domain');
  }
}

describe.skipIf(!natsInstalled())('notifications for another domain', () => {
  it('F59 all wait for it in order, though the server starts anew and links break under the appends', async () => {
    await using server = await startNats();
    await using proxy = await startProxy(server.port);
    const [telling, feeding, taking] = await Promise.all([proxy.port, server.port, server.port].map(connectTo));
    if (telling === undefined || feeding === undefined || taking === undefined) {
      throw new Error('not connected');
    }
    const log = await createLog({ name: 'test', level: 'silent' });
    const metrics = new Metrics();
    const service = createNotificationsService({
      ...{ bus: new Bus(telling, QUIET), domains: [WONDERLAND], federation: true, log, metrics },
    });
    await service.start();
    const told = new Told();
    let following: Following | undefined;
    let taken = 0;
    const bus = new Bus(taking, QUIET);
    following = await bus.consumeRemote(
      { own: 'wonderland.lit', domain: REALWORLD },
      { window: 40 },
      (notifications) => {
        for (const each of notifications) {
          told.take(each);
          if (++taken % 50 === 0) {
            proxy.cut();
          }
        }
        following?.acknowledge(notifications.at(-1)?.position ?? 0);
      },
    );
    const fed = Promise.all(TREES.map((tree) => feedTree(new Bus(feeding, QUIET), tree)));
    while (taken < 60) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await server.restart('SIGKILL');
    await fed;
    await told.complete();
    const all = Array.from({ length: CHANGES }, (_, index) => index + 1);
    const keys = READERS.flatMap((user) => TREES.map((tree) => `${user} ${tree}`));
    expect(Object.fromEntries(told.sequences)).toEqual(Object.fromEntries(keys.map((key) => [key, all])));
    expect(taken).toBeGreaterThanOrEqual(keys.length * CHANGES);
    await following.stop();
    expect(await bus.queueLength(REALWORLD)).toBe(0);
    await service.drain();
    await Promise.all([telling.drain(), feeding.drain(), taking.drain()]);
  });
});
