import type { Cache } from './cache.ts';

/** Remembers nothing: for processes that share a database but no Redis, each of which would go by what others changed since. */
export const NO_CACHE: Cache = {
  read: () => ({ hit: false, fill: () => undefined, abandon: () => undefined }),
  invalidate: () => undefined,
};
