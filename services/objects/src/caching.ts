/** What makes reads fast and counts failures: in this process, or in a Redis for all processes alike. */
import type { Log, Metrics, Secret } from '@fosp/runtime';
import type { Cache } from './cache/cache.ts';
import { createMemoryCache } from './cache/memory.ts';
import { NO_CACHE } from './cache/none.ts';
import type { Counters } from './counters/counters.ts';
import { createMemoryCounters } from './counters/memory.ts';
import { addCacheLevel } from './telemetry.ts';

/** How many times as long as a read a write or a login waits for Redis, and the milliseconds that it waits at most. */
const CONFIRMATIONS_PER_READ = 20;
const LONGEST_CONFIRMATION = 5_000;

export interface CachingOptions {
  /** Do other processes change the same database? */
  readonly isShared: boolean;
  /** Undefined for memory of this process. */
  readonly redisUrl: Secret<string> | undefined;
  /** Milliseconds that a read waits for it. */
  readonly redisPatience: number;
  /** Of memory, where there is no Redis. */
  readonly cacheBytes: number;
  /** Milliseconds of a window of the counters. */
  readonly window: number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

export interface Caching {
  readonly cache: Cache;
  readonly counters: Counters;
  /** Once nobody reads or writes any more. */
  close(): Promise<void>;
}

/**
 * Never rejects for want of a Redis: without it reads ask the database, and writes wait. Its client is loaded only here,
 * since it takes its time, which a server without Redis need not wait for.
 */
export async function openCaching(options: CachingOptions): Promise<Caching> {
  const { isShared, redisUrl, redisPatience, cacheBytes, window, log, metrics, clock } = options;
  if (redisUrl === undefined) {
    if (isShared) {
      log.warn('Without FOSP_REDIS_URL every read asks the database, and each process counts failed logins by itself');
    }
    return {
      cache: isShared ? NO_CACHE : openMemoryCache(cacheBytes, metrics),
      counters: createMemoryCounters({ window, clock }),
      close: async () => undefined,
    };
  }
  const [{ openRedisLink }, { createRedisCache }, { createRedisCounters }] = await Promise.all([
    import('./redis/link.ts'),
    import('./cache/redis/redis.ts'),
    import('./counters/redis.ts'),
  ]);
  const link = openRedisLink({
    url: redisUrl.reveal(),
    metrics,
    patience: redisPatience,
    confirmPatience: Math.min(CONFIRMATIONS_PER_READ * redisPatience, LONGEST_CONFIRMATION),
    told: (state, error) =>
      state === 'open'
        ? log.warn(
            { error },
            'Redis does not answer; reads go to the database, and writes wait until entries have died',
          )
        : log.info('Redis answers again'),
    toldOfLimits: (state, error) =>
      state === 'open'
        ? log.warn({ error }, 'Redis does not answer, however patiently; each process counts failed logins by itself')
        : log.info('Redis counts failed logins again'),
  });
  return {
    cache: createRedisCache({ link }),
    counters: createRedisCounters({ link, window, clock }),
    close: () => link.close(),
  };
}

function openMemoryCache(bytes: number, metrics: Metrics): Cache {
  const cache = createMemoryCache({ bytes });
  addCacheLevel(metrics, () => cache.bytes);
  return cache;
}
