/** What every cache promises (see `Cache`), as tests. A cache's own test file gives it a way to open one. */
import { LIMITS, pathsToRoot, type SubscriptionRow } from '@fosp/protocol';
import { describe, expect, it } from 'vitest';
import type { Cache, Hit, Miss } from '../src/cache/cache.ts';
import { Policies } from '../src/policies.ts';
import { rightsIn, type Sight, sightOf } from '../src/sight.ts';
import type { Level, Snapshot, StoredObject } from '../src/store/store.ts';
import { ALICE, BOB } from './samples.ts';

export interface CacheUnderTest extends AsyncDisposable {
  /** Two processes' ends of one cache, or the same one twice where there can be no second. Empty at first. */
  readonly ends: readonly [Cache, Cache];
}

export type OpenCache = () => Promise<CacheUnderTest>;

const policies = new Policies(1_000_000);
const TIME = '2026-01-01T00:00:00.000Z';
const ROOT_ACL = `{"owner":["data-read"],"users":{"${BOB}":["data-read"]},"groups":{"friends":["acl-read"]}}`;

export interface SnapshotParts {
  readonly object?: Partial<StoredObject>;
  readonly acl?: string;
  readonly groups?: string;
  readonly subscriptions?: readonly SubscriptionRow[];
}

/** Of an object whose ancestors all exist; without `object` there is none at the path, but at its parent. */
export function snapshotOf(path: string, parts: SnapshotParts = {}): Snapshot {
  const above = pathsToRoot(path).slice(1);
  const level = (place: string): Level => ({
    ...{ path: place, owner: ALICE, subscribers: 0 },
    acl: place === '' ? (parts.acl ?? ROOT_ACL) : undefined,
  });
  const object: StoredObject | undefined = parts.object && {
    ...{ path, owner: ALICE, btime: TIME, mtime: TIME, version: 1, incarnation: 1, subscribers: 0 },
    ...(path === '' ? { acl: parts.acl ?? ROOT_ACL } : {}),
    ...parts.object,
  };
  const own = object === undefined ? [] : [{ ...level(path), owner: object.owner, acl: object.acl }];
  return {
    object,
    levels: [...own, ...above.map(level)],
    groups: parts.groups,
    subscriptions: parts.subscriptions ?? [],
  };
}

export async function miss(cache: Cache, path: string, tree = ALICE): Promise<Miss> {
  const found = await cache.read(tree, path);
  if (found.hit) {
    throw new Error(`There is something at ${path} already`);
  }
  return found;
}

export function keep(opened: Miss, snapshot: Snapshot): void {
  opened.fill(snapshot, sightOf(snapshot, policies));
}

export async function isHit(cache: Cache, path: string, tree = ALICE): Promise<boolean> {
  const found = await cache.read(tree, path);
  if (!found.hit) {
    found.abandon();
  }
  return found.hit;
}

/** Fills may take a moment to be seen; no later than the reads after them. */
async function hit(cache: Cache, path: string, tree = ALICE): Promise<Hit> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const found = await cache.read(tree, path);
    if (found.hit) {
      return found;
    }
    found.abandon();
  }
  throw new Error(`${path} was not kept`);
}

const KEPT: readonly (readonly [string, string, SnapshotParts])[] = [
  ['a root', '', { object: {} }],
  ['a root that does not exist', '', {}],
  ['a bare object', '/a', { object: { version: 12, incarnation: 7 } }],
  ['data with every character', '/a', { object: { data: JSON.stringify('\u0000\u001f"\\ é 😀 \u2028') } }],
  ['JSON as it came in', '/a', { object: { data: '{ "b" : 1.0000000000000000001 ,\n "a":\t[ ] }' } }],
  ['a type', '/a', { object: { type: '"text"' } }],
  ['an acl of its own', '/a/b', { object: { acl: `{"users":{"${BOB}":["not-data-read"]}}` } }],
  ['another owner', '/a', { object: { owner: BOB } }],
  ['a file', '/a', { object: { attachment: '{"size":5}', file: '0123456789abcdef0123456789abcdef' } }],
  ['a place below others', '/a/b/c/d', { object: { data: '1' } }],
  ['groups', '/a', { object: {}, groups: `{"friends":["${BOB}"]}` }],
  ['nothing where the parent is', '/a/b', {}],
  [
    'subscriptions',
    '/a',
    { object: { subscribers: 1 }, subscriptions: [{ user: BOB, path: '/a', events: 1, depth: 2 }] },
  ],
  ['more subscriptions than are shown', '/a', { object: { subscribers: LIMITS.subscriptionsShown + 1 } }],
];

export function cacheSuite(open: OpenCache): void {
  describe('what is kept', () => {
    it.each(KEPT)('%s', async (_what, path, parts) => {
      await using opened = await open();
      const [first, second] = opened.ends;
      const snapshot = snapshotOf(path, parts);
      keep(await miss(first, path), snapshot);
      const { sight } = await hit(second, path);
      expect(shown(sight)).toEqual(shown(sightOf(snapshot, policies)));
    });

    it('is of its tree and path alone, whatever these are called', async () => {
      await using opened = await open();
      const [cache] = opened.ends;
      const trees = [ALICE, 'a}b@x', 'a%7Db@x', '}@x', '{@x', '{}@x'];
      for (const [index, tree] of trees.entries()) {
        keep(await miss(cache, '/a', tree), snapshotOf('/a', { object: { data: String(index) } }));
      }
      for (const [index, tree] of trees.entries()) {
        expect((await hit(cache, '/a', tree)).sight.object?.data).toBe(String(index));
        expect(await isHit(cache, '/a/', tree)).toBe(false);
        expect(await isHit(cache, '', tree)).toBe(false);
      }
    });

    it('is no object whose parent is missing: creating that would have to be told too', async () => {
      await using opened = await open();
      const [cache] = opened.ends;
      const { levels, ...rest } = snapshotOf('/a/b/c');
      for (let attempt = 0; attempt < 5; attempt++) {
        keep(await miss(cache, '/a/b/c'), { ...rest, levels: levels.slice(1) });
      }
      expect(await isHit(cache, '/a/b/c')).toBe(false);
    });
  });

  describe('a write', () => {
    it('takes its own object away, and no other', async () => {
      await using opened = await open();
      const [first, second] = opened.ends;
      for (const path of ['', '/a', '/a/b']) {
        keep(await miss(first, path), snapshotOf(path, { object: {} }));
        await hit(first, path);
      }
      await second.invalidate({ tree: ALICE, path: '/a', wide: false });
      expect(await isHit(first, '/a')).toBe(false);
      expect(await isHit(first, '')).toBe(true);
      expect(await isHit(first, '/a/b')).toBe(true);
    });

    it('takes the whole tree away where it may concern others, and no other tree', async () => {
      await using opened = await open();
      const [first, second] = opened.ends;
      for (const tree of [ALICE, BOB]) {
        for (const path of ['', '/a', '/a/b']) {
          keep(await miss(first, path, tree), snapshotOf(path, { object: {} }));
          await hit(first, path, tree);
        }
      }
      await second.invalidate({ tree: ALICE, path: '/a', wide: true });
      for (const path of ['', '/a', '/a/b']) {
        expect(await isHit(first, path)).toBe(false);
        expect(await isHit(first, path, BOB)).toBe(true);
      }
    });

    it.each([
      ['to its object', '/a', false],
      ['to rights above it', '', true],
    ])('%s drops what a reader brings who asked the store before', async (_what, path, wide) => {
      await using opened = await open();
      const [first, second] = opened.ends;
      const early = await miss(first, '/a');
      await second.invalidate({ tree: ALICE, path, wide });
      keep(early, snapshotOf('/a', { object: { data: '"old"' } }));
      expect(await isHit(first, '/a')).toBe(false);
      expect(await isHit(second, '/a')).toBe(false);
      keep(await miss(first, '/a'), snapshotOf('/a', { object: { data: '"new"', version: 2 } }));
      expect((await hit(second, '/a')).sight.object?.data).toBe('"new"');
    });

    it('leaves alone what readers of other objects bring', async () => {
      await using opened = await open();
      const [first, second] = opened.ends;
      const reader = await miss(first, '/a');
      await second.invalidate({ tree: ALICE, path: '/b', wide: false });
      keep(reader, snapshotOf('/a', { object: {} }));
      await hit(second, '/a');
    });

    it('creates an object where there was none', async () => {
      await using opened = await open();
      const [first, second] = opened.ends;
      keep(await miss(first, '/a/b'), snapshotOf('/a/b'));
      expect((await hit(second, '/a/b')).sight.object).toBeUndefined();
      await second.invalidate({ tree: ALICE, path: '/a/b', wide: false });
      expect(await isHit(first, '/a/b')).toBe(false);
    });
  });

  it('readers at once bring the same, and nobody is in the way of others', async () => {
    await using opened = await open();
    const [first, second] = opened.ends;
    const readers = await Promise.all(Array.from({ length: 20 }, (_, i) => miss(i % 2 ? first : second, '/a')));
    for (const [index, reader] of readers.entries()) {
      if (index % 3 === 0) {
        reader.abandon();
      } else {
        keep(reader, snapshotOf('/a', { object: { data: '1' } }));
      }
    }
    expect((await hit(first, '/a')).sight.object?.data).toBe('1');
  });
}

function shown(sight: Sight) {
  const { levels, groups: _groups, lastView: _view, ...rest } = sight;
  return { ...rest, depth: levels.length, rights: [ALICE, BOB, 'nobody@x'].map((user) => rightsIn(sight, user)) };
}
