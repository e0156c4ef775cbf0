/**
 * No read shows anything older than what was acknowledged before it began, however reads, fills of the cache and writes
 * interleave. Every read must fit one of the states between the last one acknowledged at its beginning and the last one
 * begun at its end.
 */
import { expect } from 'vitest';
import type { Cache, Store } from '../src/index.ts';
import { ALICE, BOB, openWorld, over, type World } from './world.ts';

const PARENT = `${ALICE}/p`;
const CHILD = `${PARENT}/c`;

interface State {
  readonly exists: boolean;
  readonly data: number;
  /** Whether bob may read by his own entry, and by his group's. */
  readonly direct: boolean;
  readonly group: boolean;
}

/** What bob is told in a state. */
function answerIn({ exists, data, direct, group }: State): string {
  if (!direct && !group) {
    return '403';
  }
  return exists ? `200 ${data}` : '404';
}

/** Repeatable chance. */
export function randomFrom(seed: number): (bound: number) => number {
  let state = seed + 1;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** A store whose snapshots come late: some before they look, some after. */
function slowStore(store: Store, held: (() => void)[], random: (bound: number) => number): Store {
  const wait = () => new Promise<void>((resolve) => held.push(resolve));
  return over(store, {
    snapshot: async (tree, path, reader) => {
      if (random(2) === 0) {
        await wait();
      }
      const snapshot = await store.snapshot(tree, path, reader);
      if (random(3) > 0) {
        await wait();
      }
      return snapshot;
    },
  });
}

function nextState(
  before: State,
  kind: number,
  number: number,
): { after: State; change: (world: World) => Promise<unknown> } {
  switch (kind) {
    case 0: {
      const users = { [BOB]: before.direct ? null : ['read-data'] };
      return {
        after: { ...before, direct: !before.direct },
        change: (w) => w.update(ALICE, PARENT, { acl: { users } }),
      };
    }
    case 1: {
      const data = { friends: before.group ? null : [BOB] };
      const groups = `${ALICE}/config/groups`;
      return { after: { ...before, group: !before.group }, change: (w) => w.update(ALICE, groups, { data }) };
    }
    case 2: {
      const after = { ...before, exists: !before.exists, data: number };
      const make = (w: World) => w.create(ALICE, CHILD, { data: number });
      return { after, change: before.exists ? (w) => w.delete(ALICE, CHILD) : make };
    }
    default: {
      const after = before.exists ? { ...before, data: number } : before;
      return { after, change: (w) => w.update(ALICE, CHILD, { data: number }) };
    }
  }
}

export interface Tally {
  reads: number;
  /** During which at least one write was acknowledged. */
  overtaken: number;
  hits: number;
}

export interface Interleaving {
  readonly seed: number;
  readonly cache: Cache;
  /** Something happens to the cache. */
  readonly disturb?: (random: (bound: number) => number) => void;
}

export async function interleave(options: Interleaving, tally: Tally): Promise<void> {
  const { seed } = options;
  const random = randomFrom(seed);
  const held: (() => void)[] = [];
  const cache = countingCache(options.cache, tally);
  await using world = await openWorld({ cache, wrapStore: (store) => slowStore(store, held, random), users: [ALICE] });
  await world.create(ALICE, PARENT, { acl: { groups: { friends: ['read-data'] } } });
  await world.create(ALICE, CHILD, { data: 0 });

  const states: State[] = [{ exists: true, data: 0, direct: false, group: false }];
  let acknowledged = 0;
  let writing: Promise<void> = Promise.resolve();
  let isWriting = false;
  const reads: Promise<unknown>[] = [];

  const read = async () => {
    const from = acknowledged;
    const { status, body } = await world.select(BOB, CHILD);
    const answer = status === 200 ? `200 ${JSON.parse(body).data}` : String(status);
    tally.reads++;
    tally.overtaken += acknowledged > from ? 1 : 0;
    expect(states.slice(from).map(answerIn), `seed ${seed}`).toContain(answer);
  };
  const write = async () => {
    isWriting = true;
    const { after, change } = nextState(states.at(-1) ?? never(), random(5), states.length);
    states.push(after);
    await change(world);
    acknowledged = states.length - 1;
    isWriting = false;
  };

  for (let turn = 0; turn < 150; turn++) {
    const kind = random(4);
    if (kind === 0 && !isWriting) {
      writing = write();
    } else if (kind === 1) {
      held.splice(random(held.length), 1)[0]?.();
    } else {
      // What is wrong is told in the end: what is held back must be let go first.
      reads.push(read().catch((error: unknown) => error));
    }
    options.disturb?.(random);
    if (random(3) === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (random(6) === 0) {
      await writing;
    }
  }
  await writing;
  const done = Promise.all(reads).then((results) => results.filter((result) => result !== undefined));
  for (let isDone = false; !isDone; ) {
    for (const release of held.splice(0)) {
      release();
    }
    isDone = await Promise.race([done.then(() => true), new Promise<false>((resolve) => setImmediate(resolve, false))]);
  }
  expect(await done).toEqual([]);
}

export function countingCache(cache: Cache, tally: Pick<Tally, 'hits'>): Cache {
  const count = <Found extends { readonly hit: boolean }>(found: Found): Found => {
    tally.hits += found.hit ? 1 : 0;
    return found;
  };
  return over(cache, {
    read: (tree, path) => {
      const found = cache.read(tree, path);
      return found instanceof Promise ? found.then(count) : count(found);
    },
  });
}

function never(): never {
  throw new Error('There is always a state');
}
