/** What makes reads fast and counts failures: in this process, or in a Redis for all processes alike. */
import type { Log, Secret } from '@fosp/runtime';
import type { Cache } from './cache/cache.ts';
import { createMemoryCache } from './cache/memory.ts';
import { createRedisCache } from './cache/redis/redis.ts';
import type { Counters } from './counters/counters.ts';
import { createMemoryCounters } from './counters/memory.ts';
import { createRedisCounters } from './counters/redis.ts';
import { openRedisLink } from './redis/link.ts';

export interface CachingOptions {
  /** Undefined for memory of this process. */
  readonly redisUrl: Secret<string> | undefined;
  /** Of memory, where there is no Redis. */
  readonly cacheBytes: number;
  /** Milliseconds of a window of the counters. */
  readonly window: number;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

export interface Caching {
  readonly cache: Cache;
  readonly counters: Counters;
  /** Once nobody reads or writes any more. */
  close(): Promise<void>;
}

/** Never rejects for want of a Redis: without it reads ask the database, and writes wait. */
export function openCaching({ redisUrl, cacheBytes, window, log, clock }: CachingOptions): Caching {
  if (redisUrl === undefined) {
    return {
      cache: createMemoryCache({ bytes: cacheBytes }),
      counters: createMemoryCounters({ window, clock }),
      close: async () => undefined,
    };
  }
  const link = openRedisLink({
    url: redisUrl.reveal(),
    told: (state, error) =>
      state === 'open'
        ? log.warn(
            { error },
            'Redis does not answer; reads go to the database, and writes wait until entries have died',
          )
        : log.info('Redis answers again'),
  });
  return {
    cache: createRedisCache({ link }),
    counters: createRedisCounters({ link, window, clock }),
    close: () => link.close(),
  };
}
