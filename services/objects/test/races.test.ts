/** What may happen at once, and must come out as if one had come first. Each is tried in both orders and many times. */
import { ACCOUNTS } from '@fosp/bus';
import { describe, expect, it } from 'vitest';
import { ALICE, BOB, type Outcome, openWorld, QUEEN, type World } from './world.ts';

const ROUNDS = 20;

/** Starts both at once, now the one first, now the other. */
async function both<A, B>(round: number, a: () => Promise<A>, b: () => Promise<B>): Promise<[A, B]> {
  if (round % 2 === 0) {
    return Promise.all([a(), b()]);
  }
  const second = b();
  return [await a(), await second];
}

/** Counts how rounds ended, so that a race that never happens fails. */
async function rounds(run: (world: World, round: number) => Promise<string>): Promise<Set<string>> {
  await using world = await openWorld();
  const endings = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    endings.add(await run(world, round));
  }
  return endings;
}

const statuses = (outcomes: readonly Outcome[]) => outcomes.map(({ status }) => status).join(' ');

describe('races', () => {
  it('F29 F35 CREATE below an object against its DELETE leaves no orphan', async () => {
    const endings = await rounds(async (world, round) => {
      const id = `${ALICE}/a${round}`;
      await world.create(ALICE, id);
      await world.create(ALICE, `${id}/b`);
      const create = () => world.create(ALICE, `${id}/b/c`);
      const outcomes = await both(round, create, () => world.delete(ALICE, id));
      await world.create(ALICE, id);
      for (const path of ['/b', '/b/c']) {
        expect((await world.select(ALICE, id + path)).status).toBe(404);
      }
      return statuses(outcomes);
    });
    expect(endings).toEqual(new Set(['200 200', '412 200']));
  });

  it('F54 subscribing against UPDATE: told of the change, or subscribed after it', async () => {
    const endings = await rounds(async (world, round) => {
      const id = `${ALICE}/a${round}`;
      await world.create(ALICE, id, { data: 0 });
      const subscribe = () => world.update(ALICE, id, { subscriptions: { [BOB]: { events: ['updated'] } } });
      const [subscribed, updated] = await both(round, subscribe, () => world.update(ALICE, id, { data: 1 }));
      await world.service.settled();
      const events = world.changes.splice(0).map(({ event }) => event.objects[0]?.object?.data);
      const isFirst = Number(subscribed.fields['etag']?.slice(1, -1)) < Number(updated.fields['etag']?.slice(1, -1));
      // The subscription itself is a change, of which its subscriber is told.
      expect(events).toEqual(isFirst ? ['0', '1'] : ['1']);
      return String(isFirst);
    });
    expect(endings).toEqual(new Set(['true', 'false']));
  });

  it('F46 revoking a right against UPDATE: what came after it is refused', async () => {
    const endings = await rounds(async (world, round) => {
      const id = `${ALICE}/a${round}`;
      await world.create(ALICE, id, { data: 0, acl: { users: { [BOB]: ['write-data'] } } });
      const revoke = () => world.update(ALICE, id, { acl: { users: null } });
      const [revoked, updated] = await both(round, revoke, () => world.update(BOB, id, { data: 1 }));
      expect(revoked.status).toBe(200);
      expect((await world.see(ALICE, id))['data']).toBe(updated.status === 200 ? 1 : 0);
      expect((await world.update(BOB, id, { data: 2 })).status).toBe(403);
      return String(updated.status);
    });
    expect(endings).toEqual(new Set(['200', '403']));
  });

  it('F40 F41 the end of an upload against DELETE: no file without an object, no object’s file is swept', async () => {
    const endings = await rounds(async (world, round) => {
      const id = `${ALICE}/a${round}`;
      const key = `key ${round}`;
      await world.create(ALICE, id);
      const { incarnation = '' } = (await world.beginFile(ALICE, id, key)).fields;
      const commit = () => world.commitFile(ALICE, id, { key, incarnation });
      const outcomes = await both(round, commit, () => world.delete(ALICE, id));
      const now = world.time.now + 1;
      const dead = await world.store.files.claim({ limit: 9, now, deadBefore: now, pendingBefore: 0 });
      expect(dead).toEqual(outcomes[0].status === 200 ? [key] : []);
      await world.store.files.forget(dead);
      return statuses(outcomes);
    });
    expect(endings).toEqual(new Set(['200 200', '404 200']));
  });

  it('F41 the end of an upload against the sweeper: a file that is claimed is nobody’s', async () => {
    const endings = await rounds(async (world, round) => {
      const id = `${ALICE}/a${round}`;
      const key = `key ${round}`;
      await world.create(ALICE, id);
      const { incarnation = '' } = (await world.beginFile(ALICE, id, key)).fields;
      const now = world.time.now + 1;
      const claim = () => world.store.files.claim({ limit: 9, now, deadBefore: 0, pendingBefore: now });
      const [committed, claimed] = await both(round, () => world.commitFile(ALICE, id, { key, incarnation }), claim);
      expect(claimed).toEqual(committed.status === 200 ? [] : [key]);
      expect((await world.openFile(ALICE, id)).status).toBe(committed.status === 200 ? 200 : 404);
      return String(committed.status);
    });
    expect(endings).toEqual(new Set(['200', '408']));
  });

  it('F40 creation anew against a running WRITE: the new object has no file', async () => {
    await rounds(async (world, round) => {
      const id = `${ALICE}/a${round}`;
      const key = `key ${round}`;
      await world.create(ALICE, id);
      const { incarnation = '' } = (await world.beginFile(ALICE, id, key)).fields;
      await world.delete(ALICE, id);
      const create = () => world.create(ALICE, id);
      const [committed] = await both(round, () => world.commitFile(ALICE, id, { key, incarnation }), create);
      expect(committed.status).toBe(404);
      expect(await world.see(ALICE, id)).not.toHaveProperty('attachment');
      return '';
    });
  });

  it('F42 taking somebody out of a group against their UPDATE', async () => {
    const endings = await rounds(async (world, round) => {
      const id = `${ALICE}/a${round}`;
      const groups = `${ALICE}/config/groups`;
      await world.create(ALICE, id, { data: 0, acl: { groups: { friends: ['write-data', 'read-data'] } } });
      await world.update(ALICE, groups, { data: { friends: [BOB] } });
      expect((await world.select(BOB, id)).status).toBe(200);
      const expel = () => world.update(ALICE, groups, { data: { friends: null } });
      const [, updated] = await both(round, expel, () => world.update(BOB, id, { data: 1 }));
      expect((await world.select(BOB, id)).status).toBe(403);
      expect((await world.see(ALICE, id))['data']).toBe(updated.status === 200 ? 1 : 0);
      return String(updated.status);
    });
    expect(endings).toEqual(new Set(['200', '403']));
  });

  it('F19 removing an account against changes in its tree', async () => {
    const endings = await rounds(async (world, round) => {
      const id = `${QUEEN}/a${round}`;
      await world.register(QUEEN);
      const remove = () => world.ask(ACCOUNTS.remove, { user: QUEEN });
      const outcomes = await both(round, remove, () => world.create(QUEEN, id));
      await world.register(QUEEN);
      expect(JSON.parse((await world.list(QUEEN, QUEEN)).body)).toEqual(['config']);
      return statuses(outcomes);
    });
    expect(endings).toEqual(new Set(['200 200', '200 403']));
  });

  it('F54 events of a tree leave in the order of its changes, however many come at once', async () => {
    await using world = await openWorld();
    const all = { events: ['created', 'updated', 'deleted'], depth: -1 };
    for (const tree of [ALICE, BOB]) {
      await world.update(tree, tree, { subscriptions: { [QUEEN]: all } });
    }
    await world.service.settled();
    world.changes.length = 0;
    const changes = Array.from({ length: 300 }, (_, number) => {
      const tree = number % 2 === 0 ? ALICE : BOB;
      return world.create(tree, `${tree}/n${number}`);
    });
    await Promise.all(changes);
    await world.service.settled();
    for (const tree of [ALICE, BOB]) {
      const sequences = world.changes.filter((change) => change.tree === tree).map(({ sequence }) => Number(sequence));
      expect(sequences).toHaveLength(150);
      expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
    }
  });
});
