/** Random trees, small and full of conflict: few names, few rights, every spelling, `not-` everywhere. */
import type { PlainAcl, PlainObject, PlainRights, PlainTree } from './naive-tree.ts';

/** A repeatable source of numbers (mulberry32). */
export interface Random {
  below(limit: number): number;
  chance(percent: number): boolean;
  pick<T>(list: readonly [T, ...T[]]): T;
}

export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  function below(limit: number): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }
  return {
    below,
    chance: (percent) => below(100) < percent,
    pick: (list) => list[below(list.length)] ?? list[0],
  };
}

export const USERS = ['alice@x.lit', 'bob@x.lit', 'carol@y.lit', 'dave@y.lit'] as const;
const GROUPS = ['friends', 'work', 'constructor'] as const;
const NAMES = ['a', 'ab', 'b'] as const;
const EVENTS = ['created', 'updated', 'deleted', 'Created', 'UPDATED', 'DELETED'] as const;
const NOUNS = ['data', 'data', 'attachment', 'attachment', 'acl', 'subscriptions', 'children'] as const;

export function randomTree(random: Random): PlainTree {
  const objects = [randomObject(random, '', USERS[0])];
  const paths = new Set(['']);
  const add = (path: string): void => {
    if (!paths.has(path)) {
      paths.add(path);
      objects.push(randomObject(random, path, random.chance(60) ? USERS[0] : random.pick(USERS)));
    }
  };
  const wanted = 1 + random.below(4);
  let last = '';
  for (let count = 0; count < wanted; count++) {
    // Mostly below the newest, so that trees are deep.
    const parent = random.chance(75) ? last : random.pick(['', ...paths]);
    last = `${parent}/${random.pick(NAMES)}`;
    add(last);
  }
  if (random.chance(50)) {
    add('/config');
    add('/config/groups');
  }
  return { user: USERS[0], objects };
}

function randomObject(random: Random, path: string, owner: string): PlainObject {
  const data = path === '/config/groups' ? randomGroups(random) : random.pick([undefined, 5, { a: null }, 'x', []]);
  return {
    path,
    owner,
    body: {
      ...(data === undefined ? {} : { data }),
      ...(random.chance(30) ? { type: 'text/plain' } : {}),
      ...(random.chance(65) ? { acl: randomAcl(random) } : {}),
      ...(random.chance(50) ? { subscriptions: randomSubscriptions(random) } : {}),
    },
    ...(random.chance(40) ? { file: { name: 'é.png', size: random.below(100), mimeType: 'image/png' } } : {}),
  };
}

function randomGroups(random: Random): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const group of GROUPS) {
    if (random.chance(50)) {
      groups[group] = USERS.filter(() => random.chance(40)).map((user) => spelled(random, user));
    }
  }
  for (const user of USERS) {
    if (random.chance(30)) {
      groups[spelled(random, user)] = GROUPS.filter(() => random.chance(50));
    }
  }
  return groups;
}

function randomAcl(random: Random): PlainAcl {
  const acl: PlainAcl = {};
  if (random.chance(45)) {
    acl.owner = randomRights(random);
  }
  if (random.chance(55)) {
    acl.users = entriesOf(
      USERS.filter(() => random.chance(35)).map((user) => spelled(random, user)),
      random,
    );
    if (random.chance(15)) {
      const user = random.pick(USERS);
      acl.users[user] = randomRights(random);
      acl.users[user.toUpperCase()] = randomRights(random);
    }
  }
  if (random.chance(50)) {
    acl.groups = entriesOf(
      GROUPS.filter(() => random.chance(50)),
      random,
    );
  }
  if (random.chance(35)) {
    acl.other = randomRights(random);
  }
  if (random.chance(15)) {
    acl.others = randomRights(random);
  }
  return acl;
}

function entriesOf(names: readonly string[], random: Random): Record<string, PlainRights> {
  return Object.fromEntries(names.map((name) => [name, randomRights(random)]));
}

function randomRights(random: Random): PlainRights {
  const rights = Array.from({ length: random.below(5) }, () => {
    const noun = random.pick(NOUNS);
    const verb = random.pick(
      noun === 'children' ? (['read', 'write', 'delete'] as const) : (['read', 'write'] as const),
    );
    return { noun, verb, not: random.chance(40) ? 'not-' : '' };
  });
  if (random.chance(20)) {
    const form: Record<string, string[]> = {};
    for (const { noun, verb, not } of rights) {
      form[noun] = [...(form[noun] ?? []), `${not}${verb}`];
    }
    return form;
  }
  return rights.map(({ noun, verb, not }) => not + (random.chance(50) ? `${verb}-${noun}` : `${noun}-${verb}`));
}

function randomSubscriptions(random: Random): Record<string, unknown> {
  const flat: Record<string, unknown> = {};
  const nested: Record<string, unknown> = {};
  for (const user of USERS) {
    if (random.chance(50)) {
      const target = random.chance(50) ? flat : nested;
      target[spelled(random, user)] = {
        ...(random.chance(90) ? { events: EVENTS.filter(() => random.chance(40)) } : {}),
        ...(random.chance(85) ? { depth: random.below(5) - 1 } : {}),
      };
    }
  }
  return { ...flat, ...(random.chance(80) ? { users: nested } : {}) };
}

/** A user's name, now and then in other capitals. */
function spelled(random: Random, user: string): string {
  return random.chance(20) ? user.toUpperCase() : user;
}
