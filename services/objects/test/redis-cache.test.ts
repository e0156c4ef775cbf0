import { type RedisServer, redisInstalled, startBadNetwork, startRedis, startRedisCluster } from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRedisCache, type RedisCacheOptions } from '../src/cache/redis/redis.ts';
import type { Cache } from '../src/index.ts';
import { openRedisLink } from '../src/redis/link.ts';
import { isHit, keep, miss, snapshotOf } from '../suite/cache-suite.ts';
import { cacheSuite } from '../suite/index.ts';
import { untilUsable } from './redis.ts';

/** Long enough for a slow machine: what is slow on purpose has tests of its own. */
const PATIENT = { patience: 2_000, confirmPatience: 2_000 };

const without = redisInstalled() ? '' : ' (left out: redis-server is not installed; apt-get install redis-server)';

let prefixes = 0;

/** Two processes' ends of a cache of its own. */
async function openEnds(url: string, options: Partial<RedisCacheOptions> = {}) {
  const links = [openRedisLink({ url, ...PATIENT }), openRedisLink({ url, ...PATIENT })] as const;
  await Promise.all(links.map(untilUsable));
  const prefix = `test${prefixes++}:`;
  const end = (link: (typeof links)[number]): Cache => createRedisCache({ link, prefix, ...options });
  return {
    ends: [end(links[0]), end(links[1])] as const,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(links.map((link) => link.close()));
    },
  };
}

describe.skipIf(!redisInstalled())(`cache in Redis${without}`, () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  cacheSuite(() => openEnds(server.url));

  async function fill(cache: Cache, path = '/a', data = '1'): Promise<void> {
    for (;;) {
      const found = await cache.read('alice@wonderland.lit', path);
      if (found.hit) {
        return;
      }
      keep(found, snapshotOf(path, { object: { data } }));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  it('misses whatever key is lost, and keeps it again', async () => {
    await using opened = await openEnds(server.url);
    const [cache] = opened.ends;
    await server.command('FLUSHALL');
    await fill(cache, '/a/b');
    const keys = (await server.command('KEYS', '*')).split('\r\n').filter((line) => line.startsWith('test'));
    expect(keys.map((key) => key.replace(/.*}/, '')).sort()).toEqual(['c/a/b', 'e', 'g', 'l', 'l/a', 'l/a/b']);
    for (const key of keys.filter((name) => !/}[lg]/.test(name))) {
      await server.command('DEL', key);
      expect(await isHit(cache, '/a/b')).toBe(false);
      await fill(cache, '/a/b');
    }
    // What rights need comes back with the next fill of any object.
    for (const key of keys.filter((name) => /}[lg]/.test(name))) {
      await server.command('DEL', key);
      expect(await isHit(cache, '/a/b')).toBe(false);
      await cache.invalidate({ tree: 'alice@wonderland.lit', path: '/a/b', wide: false });
      await fill(cache, '/a/b');
    }
  });

  it.each([
    ['epoch', '}e'],
    ['mark', '}c/a'],
  ])('refuses a late fill where the %s was lost, even after a write was forgotten with it', async (_what, end) => {
    await using opened = await openEnds(server.url);
    const [first, second] = opened.ends;
    const late = await miss(first, '/a');
    await second.invalidate({ tree: 'alice@wonderland.lit', path: '/a', wide: end === '}e' });
    for (const key of (await server.command('KEYS', '*')).split('\r\n').filter((name) => name.endsWith(end))) {
      await server.command('DEL', key);
    }
    await miss(second, '/a');
    keep(late, snapshotOf('/a', { object: { data: '"old"' } }));
    expect(await isHit(first, '/a')).toBe(false);
  });

  it('refuses a fill that knows other rights than are kept, in the same epoch', async () => {
    await using opened = await openEnds(server.url);
    const [cache] = opened.ends;
    await fill(cache, '/a');
    keep(await miss(cache, '/b'), snapshotOf('/b', { object: {}, acl: '{"owner":[]}' }));
    expect(await isHit(cache, '/b')).toBe(false);
    expect(await isHit(cache, '/a')).toBe(true);
  });

  it('keeps an entry no longer than the mark that its reader saw', async () => {
    await using opened = await openEnds(server.url);
    const [cache] = opened.ends;
    await server.command('FLUSHALL');
    const early = await miss(cache, '/a');
    const [key = ''] = (await server.command('KEYS', '*}c/a')).split('\r\n').filter((line) => line.startsWith('test'));
    const left = async () => Number(/^:(-?\d+)/.exec(await server.command('PTTL', key))?.[1]);
    // Of the mark, by the clock of Redis; an entry with a life of its own would have as much again.
    await server.command('PEXPIRE', key, '4000');
    await fill(cache, '/a');
    expect(await left()).toBeLessThanOrEqual(4000);
    await server.command('PEXPIRE', key, '1');
    await expect.poll(() => isHit(cache, '/a')).toBe(false);
    keep(early, snapshotOf('/a', { object: {} }));
    expect(await isHit(cache, '/a')).toBe(false);
  });

  it('forgets nothing but itself when scripts are flushed', async () => {
    await using opened = await openEnds(server.url);
    const [cache] = opened.ends;
    await fill(cache, '/a');
    await server.command('SCRIPT', 'FLUSH');
    expect(await isHit(cache, '/a')).toBe(true);
    await fill(cache, '/b');
  });

  it('puts nothing on a node that cannot hold it, and no large object', async () => {
    await using opened = await openEnds(server.url, { largest: 1_000 });
    const [cache] = opened.ends;
    keep(await miss(cache, '/a'), snapshotOf('/a', { object: { data: `"${'x'.repeat(1_000)}"` } }));
    expect(await isHit(cache, '/a')).toBe(false);
  });

  describe('where Redis does not answer', () => {
    const LIFETIME = 400;

    async function behindProxy(lifetime = LIFETIME) {
      const proxy = await startBadNetwork({ port: server.port });
      const states: string[] = [];
      const link = openRedisLink({
        url: `redis://127.0.0.1:${proxy.port}`,
        ...{ patience: 300, confirmPatience: 300, pause: 20, longestPause: 40 },
        told: (state) => states.push(state),
      });
      await untilUsable(link);
      const cache = createRedisCache({ link, prefix: `test${prefixes++}:`, lifetime });
      return {
        ...{ proxy, link, cache, states },
        [Symbol.asyncDispose]: async () => {
          await link.close();
          await proxy[Symbol.asyncDispose]();
        },
      };
    }

    it.each(['hold', 'refuse'] as const)('reads go by it at once, and come back to it: %s', async (trouble) => {
      await using opened = await behindProxy();
      const { cache, proxy, link, states } = opened;
      await fill(cache);
      states.splice(0);
      proxy[trouble]();
      while (link.isUsable) {
        expect(await isHit(cache, '/a')).toBe(false);
      }
      for (let read = 0; read < 1_000; read++) {
        expect(cache.read('alice@wonderland.lit', '/a')).toMatchObject({ hit: false });
      }
      expect(states[0]).toBe('open');
      proxy.release();
      proxy.allow();
      await untilUsable(link);
      await fill(cache);
      // By turns, and more than once where this machine was slow.
      expect(states.filter((state, at) => state !== (at % 2 === 0 ? 'open' : 'closed'))).toEqual([]);
      expect(states.at(-1)).toBe('closed');
    });

    it.each(['hold', 'refuse'] as const)('a write waits until what was kept has died: %s', async (trouble) => {
      await using opened = await behindProxy();
      await using other = await openEnds(server.url);
      const { cache, proxy } = opened;
      await fill(cache);
      proxy[trouble]();
      const began = performance.now();
      await cache.invalidate({ tree: 'alice@wonderland.lit', path: '/a', wide: false });
      expect(performance.now() - began).toBeGreaterThanOrEqual(LIFETIME);
      expect(await isHit(other.ends[0], '/a')).toBe(false);
    });

    it('a write waits no longer than until it is confirmed', async () => {
      // What is kept would live for longer than the test may take.
      await using opened = await behindProxy(600_000);
      const { cache, proxy } = opened;
      await fill(cache);
      proxy.refuse();
      const invalidated = cache.invalidate({ tree: 'alice@wonderland.lit', path: '/a', wide: true });
      proxy.allow();
      await invalidated;
      expect(await isHit(cache, '/a')).toBe(false);
    });
  });
});

describe.skipIf(!redisInstalled())(`cache in Redis Cluster${without}`, () => {
  let cluster: Awaited<ReturnType<typeof startRedisCluster>>;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  cacheSuite(() => openEnds(cluster.url));

  it('spreads trees over the nodes', async () => {
    await using opened = await openEnds(cluster.url);
    const [cache] = opened.ends;
    for (let tree = 0; tree < 30; tree++) {
      keep(await miss(cache, '/a/b', `user${tree}@x`), snapshotOf('/a/b', { object: {} }));
    }
    for (let tree = 0; tree < 30; tree++) {
      expect(await isHit(cache, '/a/b', `user${tree}@x`)).toBe(true);
    }
    for (const node of cluster.nodes) {
      expect(await node.command('DBSIZE')).not.toMatch(/^:0\r/);
    }
  });
});
