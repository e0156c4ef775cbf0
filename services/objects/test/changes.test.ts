/** The events of changes: when there is one, what it holds, and that large ones mean the same page by page (PROTOCOL §6). */
import { ACCOUNTS, type Change, type ChangedObject, type FanOutPage, OBJECTS } from '@fosp/bus';
import { type SubscriptionRow, subscribersOf } from '@fosp/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALICE, BOB, openWorld, QUEEN, WONDERLAND, type World } from './world.ts';

const everything = { events: ['created', 'updated', 'deleted'], depth: -1 };

async function eventsOf(world: World): Promise<Change[]> {
  await world.service.settled();
  return world.changes;
}

describe('F54 F55 events', () => {
  it('F55 tells of CREATED, UPDATED, WRITE and DELETED, in order, with all that decides who may see what', async () => {
    await using world = await openWorld({ users: [ALICE] });
    await world.create(ALICE, `${ALICE}/a`, { acl: { other: ['read-data'] }, subscriptions: { [BOB]: everything } });
    await world.create(ALICE, `${ALICE}/a/b`, { data: 1, subscriptions: { [QUEEN]: { events: ['created'] } } });
    await world.update(ALICE, `${ALICE}/a/b`, { data: 2 });
    await world.write(ALICE, `${ALICE}/a/b`, 'key', { 'file-name': 'caf%C3%A9', 'content-type': 'text/plain' });
    await world.delete(ALICE, `${ALICE}/a/b`);
    const events = await eventsOf(world);
    expect(events.map(({ event }) => [event.event, event.objects[0]?.path])).toEqual([
      ['CREATED', '/a'],
      ['CREATED', '/a/b'],
      ['UPDATED', '/a/b'],
      ['UPDATED', '/a/b'],
      ['DELETED', '/a/b'],
    ]);
    const sequences = events.map(({ sequence }) => Number(sequence));
    expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
    const bobs = { user: BOB, path: '/a', events: 7, depth: -1 };
    const queens = { user: QUEEN, path: '/a/b', events: 1, depth: 0 };
    const time = '2026-01-01T00:00:00.000Z';
    expect(events[3]?.event).toEqual({
      event: 'UPDATED',
      user: ALICE,
      request: expect.any(String),
      groups: '{}',
      objects: [
        {
          path: '/a/b',
          owner: ALICE,
          levels: [null, '{"other":["read-data"]}', expect.stringContaining('data-read')],
          object: {
            ...{ owner: ALICE, btime: time, mtime: '2026-01-01T00:00:00.002Z', data: '2' },
            attachment: '{"name":"café","size":5,"mime-type":"text/plain"}',
          },
          shown: [queens],
        },
      ],
      subscriptions: [queens, bobs],
    });
    expect(events[4]?.event).toMatchObject({
      objects: [{ path: '/a/b', owner: ALICE }],
      subscriptions: [bobs, queens],
    });
    expect(events[4]?.event.objects[0]).not.toHaveProperty('object');
  });

  it('F54 keeps no event that nobody subscribed to', async () => {
    await using world = await openWorld({ users: [ALICE] });
    const subscriptions = { [BOB]: { events: ['deleted'], depth: 1 }, [QUEEN]: { events: ['created'], depth: 0 } };
    await world.create(ALICE, `${ALICE}/a`, { subscriptions: { [BOB]: subscriptions[BOB] } });
    await world.update(ALICE, `${ALICE}/a`, { subscriptions });
    await world.create(ALICE, `${ALICE}/a/b`);
    await world.create(ALICE, `${ALICE}/a/b/c`);
    await world.update(ALICE, `${ALICE}/a/b`, { data: 1 });
    await world.delete(ALICE, `${ALICE}/a/b/c`);
    expect(await eventsOf(world)).toEqual([]);
    await world.delete(ALICE, `${ALICE}/a/b`);
    expect(await eventsOf(world)).toHaveLength(1);
  });

  it('F54 goes by subscriptions after a change, and before a deletion', async () => {
    await using world = await openWorld({ users: [ALICE] });
    const id = `${ALICE}/a`;
    await world.create(ALICE, id);
    await world.update(ALICE, id, { subscriptions: { [BOB]: everything } });
    await world.update(ALICE, id, { subscriptions: { [BOB]: null }, data: 1 });
    await world.update(ALICE, id, { subscriptions: { [QUEEN]: { events: ['deleted'] } } });
    await world.delete(ALICE, id);
    const events = await eventsOf(world);
    expect(events.map(({ event }) => [event.event, ...told(event.objects, event.subscriptions ?? [], event)])).toEqual([
      ['UPDATED', `/a ${BOB}`],
      ['DELETED', `/a ${QUEEN}`],
    ]);
  });

  it('F55 a removed account tells of its whole tree', async () => {
    await using world = await openWorld({ users: [ALICE] });
    await world.create(ALICE, `${ALICE}/a`, { subscriptions: { [BOB]: everything } });
    await world.create(ALICE, `${ALICE}/a/b`);
    await world.ask(ACCOUNTS.remove, { user: ALICE });
    const deleted = (await eventsOf(world)).at(-1);
    expect(deleted?.event.objects.map(({ path }) => path)).toEqual(['/a', '/a/b']);
  });
});

/** Whom an event concerns for which object. */
function told(
  objects: readonly ChangedObject[],
  rows: readonly SubscriptionRow[],
  { event }: Pick<Change['event'], 'event'>,
): string[] {
  return objects.flatMap(({ path }) => [...subscribersOf(event, path, rows)].map((user) => `${path} ${user}`));
}

interface Told {
  readonly event: string;
  /** `path user`, each once. */
  readonly whom: readonly string[];
  /** What was said of each object to somebody. */
  readonly objects: ReadonlyMap<string, string>;
}

/** All that a change means, as the notifications service comes to know it. */
async function meaningOf(world: World, { tree, sequence, event }: Change): Promise<Told> {
  const whom: string[] = [];
  const objects = new Map<string, string>();
  const add = (page: FanOutPage) => {
    for (const object of page.objects) {
      const users = told([object], page.subscriptions, event);
      whom.push(...users);
      if (users.length > 0) {
        const { shown: _shown, ...rest } = object;
        objects.set(object.path, JSON.stringify(rest));
      }
    }
  };
  if (event.subscriptions !== undefined) {
    add({ objects: event.objects, subscriptions: event.subscriptions });
  } else {
    let after: string | undefined;
    do {
      const { status, body, fields } = await world.ask(OBJECTS.fanOut, {
        ...{ tree, sequence },
        ...(after === undefined ? {} : { after }),
      });
      expect(status).toBe(200);
      const page: FanOutPage = JSON.parse(body);
      add(page.objects.length > 0 ? page : { ...page, objects: event.objects });
      after = fields['next'];
    } while (after !== undefined);
  }
  return { event: event.event, whom: whom.sort(), objects };
}

type Step =
  | { readonly kind: 'create' | 'delete' | 'data'; readonly path: string }
  | { readonly kind: 'acl'; readonly path: string; readonly right: string }
  | {
      readonly kind: 'subscribe';
      readonly path: string;
      readonly user: string;
      readonly depth: number;
      readonly events: string[];
    }
  | { readonly kind: 'unsubscribe'; readonly path: string; readonly user: string };

const PATHS = ['/a', '/a/b', '/a/b/c', '/a/b/d', '/a/e', '/a-', '/a-/b'];
const path = fc.constantFrom('', ...PATHS);
const user = fc.constantFrom(
  ...Array.from({ length: 6 }, (_, i) => `user${i}@${WONDERLAND}`),
  'ü@x.lit',
  '\u{1D4B6}@y.lit',
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('create' as const), path: fc.constantFrom(...PATHS) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('delete' as const), path: fc.constantFrom(...PATHS) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('data' as const), path }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('acl' as const), path, right: fc.constantFrom('read-data', 'read-acl') }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      ...{ kind: fc.constant('subscribe' as const), path, user, depth: fc.integer({ min: -1, max: 3 }) },
      events: fc.subarray(['created', 'updated', 'deleted'], { minLength: 1 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('unsubscribe' as const), path, user }) },
);

async function run(world: World, steps: readonly Step[]): Promise<void> {
  const planted: Step[] = PATHS.map((path) => ({ kind: 'create', path }));
  for (const [number, step] of [...planted, ...steps].entries()) {
    const id = ALICE + step.path;
    switch (step.kind) {
      case 'create':
        await world.create(ALICE, id, { data: number });
        break;
      case 'delete':
        await world.delete(ALICE, id);
        break;
      case 'data':
        await world.update(ALICE, id, { data: number });
        break;
      case 'acl':
        await world.update(ALICE, id, { acl: { other: [step.right] } });
        break;
      case 'subscribe': {
        const { user, events, depth } = step;
        await world.update(ALICE, id, { subscriptions: { [user]: { events, depth } } });
        break;
      }
      case 'unsubscribe':
        await world.update(ALICE, id, { subscriptions: { [step.user]: null } });
        break;
    }
  }
}

describe('F54 F55 large changes', () => {
  it('mean the same page by page, long after the tree has gone on', async () => {
    const seen = { events: 0, objects: 0, pairs: 0 };
    const history = fc.array(step, { minLength: 30, maxLength: 60 });
    const property = fc.asyncProperty(history, fc.integer({ min: 1, max: 4 }), async (steps, fanOutSubscriptions) => {
      await using plain = await openWorld({ users: [ALICE] });
      await run(plain, steps);
      const expected: Told[] = [];
      for (const change of await eventsOf(plain)) {
        expected.push(await meaningOf(plain, change));
      }

      const gate = Promise.withResolvers<void>();
      const actual: Told[] = [];
      await using paged = await openWorld({
        users: [ALICE],
        limits: { embeddedSubscriptions: 0, fanOutSubscriptions, fanOutObjects: 2, fanOutBytes: 900 },
        // Nothing is asked before all is over.
        onChange: async (change) => {
          await gate.promise;
          actual.push(await meaningOf(paged, change));
        },
      });
      await run(paged, steps);
      gate.resolve();
      await paged.service.settled();

      // Where nobody is concerned after all, a large event has no content.
      expect(actual.filter(({ whom }) => whom.length > 0)).toEqual(expected);
      seen.events += expected.length;
      seen.objects += expected.reduce((sum, { objects }) => sum + objects.size, 0);
      seen.pairs += expected.reduce((sum, { whom }) => sum + whom.length, 0);
    });
    await fc.assert(property, { numRuns: 30 });
    expect(seen.events).toBeGreaterThan(100);
    expect(seen.objects).toBeGreaterThan(seen.events);
    expect(seen.pairs).toBeGreaterThan(seen.objects);
  });

  it('keep what they need no longer than that', async () => {
    await using world = await openWorld({ users: [ALICE], limits: { embeddedSubscriptions: 0, sweepInterval: 5 } });
    await world.create(ALICE, `${ALICE}/a`, { subscriptions: { [BOB]: everything } });
    await world.create(ALICE, `${ALICE}/a/b`);
    await world.update(ALICE, `${ALICE}/a`, { subscriptions: { [BOB]: null, [QUEEN]: everything } });
    await world.delete(ALICE, `${ALICE}/a`);
    const last = (await eventsOf(world)).at(-1);
    const query = { tree: ALICE, sequence: last?.sequence ?? '' };
    world.time.now += 1;
    for (let status = 200; status !== 404; ) {
      status = (await world.ask(OBJECTS.fanOut, query)).status;
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { folder } = world;
    await world.close();
    expect(await leftovers(folder)).toEqual([]);
  });
});

/** Tables that still hold anything of past changes. */
async function leftovers(folder: string): Promise<string[]> {
  const { DatabaseSync } = await import('node:sqlite');
  using database = new DatabaseSync(`${folder}/objects.sqlite`);
  const tables = ['outbox', 'ended_subscriptions', 'deleted_objects', 'subscriptions'];
  return tables.filter((table) => database.prepare(`SELECT 1 FROM ${table}`).get() !== undefined);
}
