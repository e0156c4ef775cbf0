/** A provider with a cluster, two processes of everything, beside one with a single server. */
import {
  ALICE,
  type Cluster,
  clusterInstalled,
  freePort,
  type Pod,
  SISTER,
  startCluster,
  TestSession,
} from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { Provider } from '../../src/neighbours.ts';

const RIGHTS = ['data', 'subscriptions', 'attachment', 'children'].flatMap((what) => [`${what}-read`, `${what}-write`]);

async function start() {
  const port = await freePort();
  await using started = new AsyncDisposableStack();
  const cluster = started.use(
    await startCluster({
      environment: {
        FOSP_HASH_MEMORY: '1 MiB',
        FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: '1000',
        FOSP_FEDERATION_PRIVATE: '127.0.0.0/8',
        FOSP_FEDERATION_PEERS: `realworld.lit=ws://127.0.0.1:${port}`,
        // Time enough for the balancer to see that a gateway is about to go, on a busy machine too.
        FOSP_DRAIN_NOTICE_SECONDS: '3',
      },
    }),
  );
  const realworld = started.use(
    await Provider.start('realworld.lit', port, { FOSP_FEDERATION_PEERS: `wonderland.lit=${cluster.url}` }),
  );
  const all = started.move();
  return { cluster, realworld, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** The data that a notification shows. */
async function told(session: TestSession): Promise<unknown> {
  return JSON.parse((await session.nextNotification()).body.toString()).data;
}

describe.skipIf(!clusterInstalled())('a cluster and a single server', { timeout: 180_000 }, () => {
  it('F61 F59 F31 F32 F68 share objects, files and notifications both ways, and go on when the links’ process is killed and gateways restart', async () => {
    await using providers = await start();
    const { cluster, realworld } = providers;
    const alice = await TestSession.register(cluster.url, ALICE);
    const sister = await realworld.register('sister');
    const sides = [
      { guest: sister, host: alice, name: SISTER, tree: ALICE },
      { guest: alice, host: sister, name: ALICE, tree: SISTER },
    ];
    for (const { guest, host, name, tree } of sides) {
      await host.succeed('UPDATE', tree, { body: { acl: { users: { [name]: RIGHTS } } } });
      await guest.succeed('CREATE', `${tree}/a`, { body: { data: 'tea' } });
      expect(await guest.json('SELECT', `${tree}/a`)).toMatchObject({ owner: name, data: 'tea' });
      await guest.succeed('UPDATE', `${tree}/a`, {
        body: { subscriptions: { [name]: { events: ['updated'], depth: 0 } } },
      });
      await guest.nextNotification();
      const file = Buffer.alloc(3_000_000, name);
      await guest.succeed('WRITE', `${tree}/a`, { body: file, binary: true });
      await guest.nextNotification();
      expect((await guest.succeed('READ', `${tree}/a`)).body.equals(file)).toBe(true);
    }
    const [owner] = await ownersIn(cluster);
    const changes = changing(alice, 40);
    await owner?.kill();
    const asked = alice.request('SELECT', `${SISTER}/a`);
    const seen = [];
    while (seen.at(-1) !== 39) {
      seen.push(await told(sister));
    }
    // What the next process sends again has the numbers that it had before: nobody is told twice.
    expect(seen).toEqual(Array.from({ length: 40 }, (_, at) => at));
    await changes;
    expect((await asked).status).toBe(200);
    await owner?.start();
    await sister.succeed('UPDATE', `${SISTER}/a`, { body: { data: 'milk' } });
    expect(await told(alice)).toBe('milk');
    await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => sister.succeed('CREATE', `${ALICE}/a/${at}`)));
    const working = new Working(sister);
    for (const gateway of cluster.podsOf('gateway')) {
      await working.everythingAgain();
      await gateway.stop();
      await gateway.start();
    }
    await working.everythingAgain();
    expect(await working.stop()).toEqual(new Set(['SELECT 200', 'UPDATE 204', 'READ 200']));
  });
});

/** So many, each at its own pace, that a link which refuses what comes before it is closed is seen to do so. */
const AT_ONCE = 12;

/** What a neighbour's user does all the time. */
class Working {
  readonly #session: TestSession;
  readonly #rounds = new Map<string, number>();
  readonly #seen = new Set<string>();
  readonly #work: Promise<void>[];
  #isOver = false;

  constructor(session: TestSession) {
    this.#session = session;
    this.#work = [
      ...Array.from({ length: AT_ONCE }, () => this.#repeat('SELECT', ALICE)),
      ...Array.from({ length: AT_ONCE }, (_, at) => this.#repeat('UPDATE', `${ALICE}/a/${at}`)),
      this.#repeat('READ', `${ALICE}/a`),
    ];
  }

  /** Resolves once each was begun and answered again. */
  async everythingAgain(): Promise<void> {
    const before = new Map(this.#rounds);
    const isDone = () => ['SELECT', 'UPDATE', 'READ'].every((type) => this.#count(type) > (before.get(type) ?? 0) + 4);
    await expect.poll(isDone, { timeout: 60_000 }).toBe(true);
  }

  /** How it was answered. */
  async stop(): Promise<ReadonlySet<string>> {
    this.#isOver = true;
    await Promise.all(this.#work);
    return this.#seen;
  }

  async #repeat(type: 'SELECT' | 'UPDATE' | 'READ', resource: string): Promise<void> {
    for (let round = 0; !this.#isOver; round++) {
      const body = type === 'UPDATE' ? { data: round } : '';
      const { status } = await this.#session.request(type, resource, { body });
      this.#seen.add(`${type} ${status}`);
      this.#rounds.set(type, this.#count(type) + 1);
    }
  }

  #count(type: string): number {
    return this.#rounds.get(type) ?? 0;
  }
}

/** One after the other. */
async function changing(alice: TestSession, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    await alice.succeed('UPDATE', `${ALICE}/a`, { body: { data: at } });
  }
}

/** The federation processes that talk to another domain. */
async function ownersIn(cluster: Cluster): Promise<Pod[]> {
  const owners: Pod[] = [];
  for (const pod of cluster.podsOf('federation')) {
    const metrics = await (await fetch(`${pod.process.admin}/metrics`)).text();
    if (/^fosp_federation_peers 1$/m.test(metrics)) {
      owners.push(pod);
    }
  }
  expect(owners).toHaveLength(1);
  return owners;
}
