/**
 * Two object pods share a Redis that is lossy, laggy, and now and then flushed: nobody reads with a right whose revocation
 * was acknowledged before, and reads are served from the cache all the same.
 */
import { type RedisServer, redisInstalled, startBadNetwork, startRedis } from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRedisCache } from '../src/cache/redis/redis.ts';
import type { Cache } from '../src/index.ts';
import { openRedisLink } from '../src/redis/link.ts';
import { countingCache, interleave, randomFrom, type Tally } from './interleaving.ts';
import { untilUsable } from './redis.ts';
import { ALICE, BOB, openWorld } from './world.ts';

const LIFETIME = 250;

const without = redisInstalled() ? '' : ' (left out: redis-server is not installed; apt-get install redis-server)';

let prefixes = 0;

interface Troubles {
  lags: number;
  cuts: number;
  flushes: number;
}

/** The ends of two pods, each behind a network of its own; whoever reads or writes is served by one of them by chance. */
async function twoPods(server: RedisServer, random: (bound: number) => number, troubles: Troubles) {
  const lag = () => {
    if (random(20) > 0) {
      return 0;
    }
    troubles.lags++;
    return random(6);
  };
  const prefix = `test${prefixes++}:`;
  const pod = async () => {
    const proxy = await startBadNetwork({ port: server.port, lag });
    const link = openRedisLink({
      url: `redis://127.0.0.1:${proxy.port}`,
      ...{ patience: 1_000, confirmPatience: 1_000, pause: 5, longestPause: 10 },
    });
    await untilUsable(link);
    return { proxy, link, cache: createRedisCache({ link, prefix, lifetime: LIFETIME }) };
  };
  const pods = [await pod(), await pod()] as const;
  const one = () => (random(2) === 0 ? pods[0] : pods[1]);
  const cache: Cache = {
    read: (tree, path) => one().cache.read(tree, path),
    invalidate: (change) => one().cache.invalidate(change),
  };
  return {
    cache,
    cut: () => {
      troubles.cuts++;
      one().proxy.cut();
    },
    flush: async () => {
      troubles.flushes++;
      await server.command('FLUSHALL');
    },
    [Symbol.asyncDispose]: async () => {
      for (const { link, proxy } of pods) {
        await link.close();
        await proxy[Symbol.asyncDispose]();
      }
    },
  };
}

describe.skipIf(!redisInstalled())(`staleness with Redis${without}`, () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  it('F42 F46 shows nothing older than what was acknowledged, however all interleaves', async () => {
    const tally: Tally = { reads: 0, overtaken: 0, hits: 0 };
    const troubles: Troubles = { lags: 0, cuts: 0, flushes: 0 };
    for (let seed = 0; seed < 25; seed++) {
      await using pods = await twoPods(server, randomFrom(seed + 1_000), troubles);
      const disturb = (random: (bound: number) => number) => {
        if (random(200) === 0) {
          pods.cut();
        } else if (random(50) === 0) {
          void pods.flush();
        }
      };
      await interleave({ seed, cache: pods.cache, disturb }, tally);
    }
    // How many is a matter of the machine's speed.
    expect(Math.min(...Object.values(tally), ...Object.values(troubles))).toBeGreaterThan(0);
  });

  it('F46 none of 20,000 reads has a right whose revocation was acknowledged', async () => {
    const OPERATIONS = 21_000;
    const REVOCATIONS = 100;
    const random = randomFrom(7);
    const troubles: Troubles = { lags: 0, cuts: 0, flushes: 0 };
    const tally = { hits: 0, reads: 0, refused: 0, revocations: 0 };
    await using pods = await twoPods(server, random, troubles);
    await using world = await openWorld({ cache: countingCache(pods.cache, tally), users: [ALICE] });
    const parent = `${ALICE}/p`;
    await world.create(ALICE, parent, {});
    await world.create(ALICE, `${parent}/c`, { data: 'secret' });

    // Bob may read in states of odd number.
    let begun = 0;
    let acknowledged = 0;
    const read = async () => {
      const from = acknowledged;
      const { status } = await world.select(BOB, `${parent}/c`);
      const until = begun;
      const mayHaveBeen = new Set(Array.from({ length: until - from + 1 }, (_, n) => ((from + n) % 2 ? 200 : 403)));
      expect([...mayHaveBeen]).toContain(status);
      tally.reads++;
      tally.refused += status === 403 ? 1 : 0;
    };
    const write = async () => {
      begun++;
      const users = { [BOB]: begun % 2 ? ['data-read'] : null };
      const { status } = await world.update(ALICE, parent, { acl: { users } });
      expect(status).toBe(200);
      tally.revocations += begun % 2 ? 0 : 1;
      acknowledged = begun;
    };

    let writing: Promise<void> | undefined;
    for (let done = 0; done < OPERATIONS || tally.revocations < REVOCATIONS; ) {
      const batch = Array.from({ length: 1 + random(16) }, read);
      done += batch.length;
      if (random(3) === 0) {
        writing ??= write().finally(() => {
          writing = undefined;
        });
        done++;
      }
      if (random(250) === 0) {
        pods.cut();
      } else if (random(150) === 0) {
        await pods.flush();
      }
      await Promise.all(batch);
    }
    await writing;
    expect(tally.reads).toBeGreaterThanOrEqual(20_000);
    expect(Math.min(...Object.values(tally), ...Object.values(troubles))).toBeGreaterThan(0);
  });
});
