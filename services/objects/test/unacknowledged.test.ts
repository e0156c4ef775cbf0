/**
 * Changes that were made and never acknowledged: the answer to their COMMIT was lost, or their process died right after it.
 * Whoever looks, because they were told that the outcome is unknown or that the object changed, sees them all the same.
 */
import { OBJECTS } from '@fosp/bus';
import { postgresInstalled, type RedisServer, redisInstalled, startRedis } from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRedisCache } from '../src/cache/redis/redis.ts';
import type { Cache } from '../src/index.ts';
import { openRedisLink } from '../src/redis/link.ts';
import { lossyDatabase } from './lossy-database.ts';
import { postgresForTests } from './postgres.ts';
import { untilUsable } from './redis.ts';
import { ALICE, BOB, openWorld, over, type World } from './world.ts';

const OBJECT = `${ALICE}/a`;
const PATIENT = { patience: 2_000, confirmPatience: 2_000 };
/** Entries outlive the test: nothing but an invalidation makes them go. */
const LIFETIME = 60_000;

describe.skipIf(!postgresInstalled() || !redisInstalled())('a change that was never acknowledged', () => {
  const postgres = postgresForTests();
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  async function openCache(prefix: string) {
    const link = openRedisLink({ url: redis.url, ...PATIENT });
    await untilUsable(link);
    const cache = createRedisCache({ link, prefix, lifetime: LIFETIME });
    return { cache, [Symbol.asyncDispose]: () => link.close() };
  }

  /** The object is in the cache. */
  async function cached(world: World, cache: Cache): Promise<void> {
    await expect
      .poll(async () => {
        await world.select(ALICE, OBJECT);
        return (await cache.read(ALICE, '/a')).hit;
      })
      .toBe(true);
  }

  it('since the answer to its COMMIT was lost, is there for who looks', async () => {
    await using database = await postgres.database();
    await using lossy = await lossyDatabase(database.url);
    await using opened = await openCache('lost:');
    const { cache } = opened;
    await using world = await openWorld({ cache, openStore: () => database.open({ url: lossy.url }) });
    await world.create(ALICE, OBJECT, { data: 1 });
    await cached(world, cache);
    lossy.loseNext('answer');
    const { status, message } = await world.update(ALICE, OBJECT, { data: 2 });
    expect([status, message]).toEqual([503, expect.stringContaining('may have been done or not')]);
    expect(lossy.lost).toBe(1);
    expect((await world.see(ALICE, OBJECT))['data']).toBe(2);
  });

  it('since its process died, is there for whoever is told of it', async () => {
    await using database = await postgres.database();
    await using opened = await openCache('died:');
    const { cache } = opened;
    const stored = Promise.withResolvers<void>();
    const buried = Promise.withResolvers<void>();
    const dying = over(cache, {
      invalidate: () => {
        stored.resolve();
        return buried.promise;
      },
    });
    let isDying = false;
    const own = over(cache, { invalidate: (change) => (isDying ? dying : cache).invalidate(change) });
    const options = { relayLease: 200 };
    await using first = await openWorld({
      ...{ cache: own, limits: { sweepInterval: 60_000 } },
      openStore: () => database.open(options),
    });
    await first.create(ALICE, OBJECT, { data: 1, subscriptions: { [BOB]: { events: ['updated'], depth: 0 } } });
    await cached(first, cache);
    isDying = true;
    void first.bus
      .call(OBJECTS.update, { user: ALICE, tree: ALICE, path: '/a' }, Buffer.from('{"data":2}'))
      .catch(() => 0);
    await stored.promise;
    const told = Promise.withResolvers<void>();
    await using second = await openWorld({
      ...{ cache, users: [], limits: { sweepInterval: 50 } },
      openStore: () => database.open(options),
      onChange: async ({ event }) => {
        if (event.event === 'UPDATED' && event.objects[0]?.object?.data === '2') {
          told.resolve();
        }
      },
    });
    await told.promise;
    const seen = await second.see(ALICE, OBJECT);
    buried.resolve();
    expect(seen['data']).toBe(2);
  });
});
