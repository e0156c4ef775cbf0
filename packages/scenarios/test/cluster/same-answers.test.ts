/** Whichever gateway a user comes to, the answer is the same, at once. */
import {
  ALICE,
  BOB,
  type Cluster,
  clusterInstalled,
  PASSWORD,
  QUEEN,
  startCluster,
  type TestNotification,
  TestSession,
} from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metricOf } from '../../src/metric-of.ts';

const ROUNDS = 50;
const FAILURES = 10;

describe.skipIf(!clusterInstalled())('two gateways of one cluster', () => {
  const cleanup = new AsyncDisposableStack();
  let cluster: Cluster;
  /** Past the balancer, so that it is known which is which. */
  let urls: readonly [string, string];

  beforeAll(async () => {
    const environment = {
      FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: '100000',
      FOSP_LIMIT_LOGIN_FAILURES_PER_MINUTE: String(FAILURES),
      FOSP_HASH_MEMORY: '1 MiB',
      // Where processes wait for Redis in vain they count by themselves for a while, each its own.
      FOSP_REDIS_PATIENCE_MS: '1000',
    };
    cluster = cleanup.use(await startCluster({ environment }));
    const [one, other] = cluster.podsOf('gateway');
    urls = [one?.process.url ?? '', other?.process.url ?? ''];
    for (const user of [ALICE, BOB, QUEEN]) {
      await (await TestSession.register(urls[0], user)).close();
    }
  });

  afterAll(() => cleanup.disposeAsync());

  async function both(user: string): Promise<readonly [TestSession, TestSession]> {
    return [await TestSession.logIn(urls[0], user), await TestSession.logIn(urls[1], user)];
  }

  it('F68 F26 F27 F28 F30 show at once what was done through the other', async () => {
    const sessions = await both(ALICE);
    const folder = `${ALICE}/rounds`;
    await sessions[0].succeed('CREATE', folder);
    for (let round = 0; round < ROUNDS; round++) {
      const [here, there] = round % 2 === 0 ? sessions : [sessions[1], sessions[0]];
      const id = `${folder}/n${round}`;
      await here.succeed('CREATE', id, { body: { data: 'new' } });
      expect(await there.json('SELECT', id)).toMatchObject({ data: 'new' });
      await there.succeed('UPDATE', id, { body: { data: round } });
      for (const session of sessions) {
        expect(await session.json('SELECT', id)).toMatchObject({ data: round });
      }
      expect(await there.json('LIST', folder)).toEqual([`n${round}`]);
      await here.succeed('DELETE', id);
      expect((await there.request('SELECT', id)).status).toBe(404);
      expect(await there.json('LIST', folder)).toEqual([]);
    }
    const reads = (cache: string) =>
      Promise.all(cluster.podsOf('objects').map((pod) => metricOf(pod, 'fosp_objects_reads_total', new RegExp(cache))));
    expect(Math.min(...(await reads('.')))).toBeGreaterThan(ROUNDS / 2);
    expect((await reads('hit')).reduce((sum, hits) => sum + hits)).toBeGreaterThan(0);
  });

  it('F68 F42 F46 give and take rights, and members of groups, for both', async () => {
    const [alice] = await both(ALICE);
    const bobs = await both(BOB);
    const acl = { users: { [BOB]: ['read-data'] } };
    const groups = `${ALICE}/config/groups`;
    await alice.succeed('CREATE', `${ALICE}/shared`, {
      body: { data: 1, acl: { groups: { friends: ['read-data'] } } },
    });
    const seenBy = async () =>
      (await Promise.all(bobs.map((bob) => bob.request('SELECT', `${ALICE}/shared`)))).map(({ status }) => status);
    for (let round = 0; round < ROUNDS; round++) {
      await alice.succeed('UPDATE', `${ALICE}/shared`, { body: { acl } });
      expect(await seenBy()).toEqual([200, 200]);
      await alice.succeed('UPDATE', `${ALICE}/shared`, { body: { acl: { users: null } } });
      expect(await seenBy()).toEqual([403, 403]);
      await alice.succeed('UPDATE', groups, { body: { data: { friends: [BOB] } } });
      expect(await seenBy()).toEqual([200, 200]);
      await alice.succeed('UPDATE', groups, { body: { data: { friends: null } } });
      expect(await seenBy()).toEqual([403, 403]);
    }
  });

  it('F68 F31 F32 have the same files', async () => {
    const sessions = await both(ALICE);
    await sessions[0].succeed('CREATE', `${ALICE}/file`);
    for (let round = 0; round < ROUNDS / 5; round++) {
      const [here, there] = round % 2 === 0 ? sessions : [sessions[1], sessions[0]];
      const body = Buffer.alloc(50_000, round);
      await here.succeed('WRITE', `${ALICE}/file`, { body, binary: true });
      expect((await there.succeed('READ', `${ALICE}/file`)).body.equals(body)).toBe(true);
    }
  });

  it('F68 F52 F58 notify of a subscription that was made at the other, in order and once', async () => {
    const sessions = await both(ALICE);
    const queens = await both(QUEEN);
    const subscriptions = Object.fromEntries([ALICE, QUEEN].map((user) => [user, { events: ['updated'], depth: 1 }]));
    const acl = { users: { [QUEEN]: ['read-data'] } };
    await sessions[0].succeed('CREATE', `${ALICE}/told`, { body: { subscriptions, acl } });
    await sessions[1].succeed('CREATE', `${ALICE}/told/count`);
    for (let round = 1; round <= ROUNDS; round++) {
      await sessions[round % 2 === 0 ? 0 : 1].succeed('UPDATE', `${ALICE}/told/count`, { body: { data: round } });
    }
    const expected = Array.from({ length: ROUNDS }, (_, round) => round + 1);
    for (const session of [...sessions, ...queens]) {
      expect((await session.notifications.take(ROUNDS)).map(dataOf)).toEqual(expected);
    }
    // Whatever came twice would be here by the time that a later change is told of.
    await sessions[0].succeed('UPDATE', `${ALICE}/told/count`, { body: { data: 'last' } });
    for (const session of [...sessions, ...queens]) {
      expect(dataOf(await session.nextNotification())).toBe('last');
    }
  });

  it('F22 F24 log in with a token of the other, which dies with the password, and so do sessions there', async () => {
    const extensions = ['resume', 'password'];
    const logIn = async (url: string, body: Record<string, unknown>) => {
      const session = await TestSession.connect(url, BOB, { extensions });
      const { status, body: answer } = await session.request('AUTHENTICATE', '*', { body });
      return { session, status, token: status === 200 ? JSON.parse(answer.toString()).token : undefined };
    };
    const here = await logIn(urls[0], { name: 'bob', password: PASSWORD });
    const there = await logIn(urls[1], { token: here.token });
    expect(there.status).toBe(200);
    expect(await there.session.json('SELECT', `${BOB}/`)).toMatchObject({ owner: BOB });
    await there.session.succeed('REGISTER', '*', { body: { old: PASSWORD, password: 'looking glass' } });
    expect((await here.session.wire.closed).code).toBe(1008);
    for (const url of urls) {
      expect((await logIn(url, { token: here.token })).status).toBe(401);
      expect((await logIn(url, { name: 'bob', password: PASSWORD })).status).toBe(401);
      expect((await logIn(url, { name: 'bob', password: 'looking glass' })).status).toBe(200);
    }
  });

  it('F24 count wrong passwords together', async () => {
    const wrong = async (url: string) => {
      const session = await TestSession.connect(url, QUEEN);
      const { status } = await session.request('AUTHENTICATE', '*', { body: { name: 'queen', password: 'wrong' } });
      await session.close();
      return status;
    };
    const statuses = await Promise.all(
      Array.from({ length: 4 * FAILURES }, (_, at) => wrong(urls[at % 2 === 0 ? 0 : 1])),
    );
    expect(statuses.filter((status) => status === 401)).toHaveLength(FAILURES);
    expect(statuses.filter((status) => status === 429)).toHaveLength(3 * FAILURES);
    for (const url of urls) {
      await expect(TestSession.logIn(url, QUEEN)).rejects.toThrow('429');
    }
  });
});

function dataOf({ body }: TestNotification): unknown {
  return JSON.parse(body.toString()).data;
}
