/** Events that come twice, late, or not at all: each user sees each change once, in the order of its tree, or is told to look again. */
import {
  ALICE,
  BOB,
  type Infrastructure,
  infrastructureInstalled,
  QUEEN,
  startInfrastructure,
  type TestNotification,
  TestSession,
} from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newTally } from '../../src/rollout/tally.ts';
import { chanceFrom, startNodes } from './nodes.ts';
import { RawUser } from './raw-user.ts';

const USERS = [ALICE, BOB, QUEEN];
const CHANGES = 60;

describe.skipIf(!infrastructureInstalled())('events on a bad bus', () => {
  let infrastructure: Infrastructure;
  beforeAll(async () => {
    infrastructure = await startInfrastructure();
  });
  afterAll(() => infrastructure[Symbol.asyncDispose]());

  it('F54 F58 that come twice and late have one visible effect, in order', async () => {
    const random = chanceFrom(1);
    const faults = { random, lag: () => random() * 8, repeats: 0.3, repeatedAppends: 0.3, repeatedMessages: 0.3 };
    await using nodes = await startNodes(infrastructure, faults);
    const [one, other] = nodes.all;
    const sessions: TestSession[] = [];
    for (const user of USERS) {
      sessions.push(await TestSession.register(one.url, user), await TestSession.logIn(other.url, user));
    }
    const writers = new Map(USERS.map((user, at) => [user, sessions.slice(2 * at, 2 * at + 2)]));
    const subscriptions = Object.fromEntries(USERS.map((user) => [user, { events: ['updated'], depth: 0 }]));
    const acl = { other: ['read-data'] };
    for (const [user, [writer]] of writers) {
      await writer?.succeed('CREATE', `${user}/count`, { body: { data: 0, subscriptions, acl } });
    }
    const change = async (user: string, both: readonly TestSession[]) => {
      for (let count = 1; count <= CHANGES; count++) {
        await both[count % 2]?.succeed('UPDATE', `${user}/count`, { body: { data: count } });
      }
    };
    await Promise.all([...writers].map(([user, both]) => change(user, both)));

    const expected = Array.from({ length: CHANGES }, (_, at) => at + 1);
    for (const session of sessions) {
      const told = await session.notifications.take(CHANGES * USERS.length);
      for (const user of USERS) {
        const counts = told.filter(({ resource }) => resource === `${user}/count`).map(dataOf);
        expect(counts).toEqual(expected);
      }
    }
    // What came twice all the same would be here by the time that later changes are told of.
    for (const [user, [writer]] of writers) {
      await writer?.succeed('UPDATE', `${user}/count`, { body: { data: 'last' } });
    }
    for (const session of sessions) {
      expect((await session.notifications.take(USERS.length)).map(dataOf)).toEqual(USERS.map(() => 'last'));
    }
    for (const fault of ['repeats', 'repeatedAppends', 'repeatedMessages'] as const) {
      expect(nodes.struck.get(fault), fault).toBeGreaterThan(0);
    }
    const dropped = async (name: string) =>
      (await Promise.all(nodes.all.map((node) => node.metric(name)))).reduce((sum, count) => sum + count);
    expect(await dropped('fosp_gateway_notifications_repeated_total')).toBeGreaterThan(0);
    expect(await dropped('fosp_notifications_repeats_total')).toBeGreaterThan(0);
    await Promise.all(sessions.map((session) => session.close()));
  });

  it('F54 F58 that get lost cost a connection (1012), and are never missed in silence', async () => {
    const random = chanceFrom(2);
    await using nodes = await startNodes(infrastructure, { random, lag: () => random() * 4, lostMessages: 0.02 });
    const tally = newTally();
    const names = ['march-hare', 'hatter', 'dormouse', 'dodo'];
    const users = await Promise.all(
      names.map((name, at) => RawUser.register(`${name}@wonderland.lit`, nodes.all[at % 2 === 0 ? 0 : 1].url, tally)),
    );
    const working = users.map((user) => user.work());
    // What was told on a connection is counted when that ends.
    const seen = () => Math.min(nodes.struck.get('lostMessages') ?? 0, tally.reconnects, tally.notifications);
    await expect.poll(seen, { timeout: 100_000 }).toBeGreaterThan(5);
    for (const user of users) {
      user.stop();
    }
    await Promise.all(working);
    expect(tally.faults).toEqual([]);
  });
});

function dataOf({ body }: TestNotification): unknown {
  return JSON.parse(body.toString()).data;
}
