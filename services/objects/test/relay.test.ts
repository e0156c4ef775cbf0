/** Events on their way to the stream: in order, none lost, a tree that fails holds up nobody else. */
import { describe, expect, it } from 'vitest';
import { ALICE, BOB, openWorld, QUEEN, type World } from './world.ts';

const all = { events: ['created', 'updated', 'deleted'], depth: -1 };

async function subscribe(world: World, ...trees: string[]): Promise<void> {
  for (const tree of trees) {
    await world.update(tree, tree, { subscriptions: { [QUEEN]: all } });
  }
}

describe('the relay', () => {
  it('F55 goes on after a restart where it was, in order', async () => {
    const refuse = () => Promise.reject(new Error('refused on purpose'));
    await using world = await openWorld({ onChange: refuse, limits: { drainPatience: 1 } });
    await subscribe(world, ALICE);
    for (let number = 0; number < 100; number++) {
      await world.create(ALICE, `${ALICE}/n${number}`);
    }
    await world.close();
    await using again = await openWorld({ folder: world.folder, users: [] });
    await again.service.settled();
    const paths = again.changes.map(({ event }) => event.objects[0]?.path);
    expect(paths).toEqual(['', ...Array.from({ length: 100 }, (_, number) => `/n${number}`)]);
    await again.close();
    await using third = await openWorld({ folder: world.folder, users: [] });
    await third.service.settled();
    expect(third.changes).toEqual([]);
  });

  it('tries again what the stream did not take, and keeps the order of its tree', async () => {
    let failures = 0;
    await using world = await openWorld({ limits: { relayPause: 1, relayLongestPause: 2 } });
    const append = world.bus.appendChange.bind(world.bus);
    world.bus.appendChange = (headers, body) =>
      headers.tree === ALICE && failures++ % 3 !== 2
        ? Promise.reject(new Error('refused on purpose'))
        : append(headers, body);
    await subscribe(world, ALICE, BOB);
    for (let number = 0; number < 10; number++) {
      await world.create(ALICE, `${ALICE}/n${number}`);
      await world.create(BOB, `${BOB}/n${number}`);
    }
    await world.service.settled();
    for (const tree of [ALICE, BOB]) {
      const paths = world.changes.filter((change) => change.tree === tree).map(({ event }) => event.objects[0]?.path);
      expect(paths).toEqual(['', ...Array.from({ length: 10 }, (_, number) => `/n${number}`)]);
    }
    expect(failures).toBeGreaterThan(20);
  });

  it('a tree whose events are not handled holds up no other', async () => {
    const gate = Promise.withResolvers<void>();
    const handled: string[] = [];
    const bobs = Promise.withResolvers<void>();
    await using world = await openWorld({
      onChange: async ({ tree }) => {
        await (tree === ALICE ? gate.promise : undefined);
        handled.push(tree);
        if (handled.length === 3) {
          bobs.resolve();
        }
      },
    });
    await subscribe(world, ALICE, BOB);
    await world.create(ALICE, `${ALICE}/a`);
    await world.create(BOB, `${BOB}/a`);
    await world.create(BOB, `${BOB}/b`);
    await bobs.promise;
    expect(handled).toEqual([BOB, BOB, BOB]);
    gate.resolve();
    await world.service.settled();
    expect(handled.slice(3)).toEqual([ALICE, ALICE]);
  });

  it('relays more trees than it may at once, as soon as it may', async () => {
    await using world = await openWorld({ limits: { relayTrees: 1, sweepInterval: 2 } });
    await subscribe(world, ALICE, BOB, QUEEN);
    await Promise.all([ALICE, BOB, QUEEN].map((tree) => world.create(tree, `${tree}/a`)));
    while (world.changes.length < 6) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(new Set(world.changes.map(({ tree }) => tree)).size).toBe(3);
  });
});
