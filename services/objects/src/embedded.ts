/** What the service is given where there is no server to keep things for it: SQLite, cache and counters of this process. */
import type { Log } from '@fosp/runtime';
import { createMemoryCache } from './cache/memory.ts';
import type { ObjectsConfig } from './config.ts';
import { createMemoryCounters } from './counters/memory.ts';
import type { ObjectsDeps } from './objects.ts';
import { openSqliteStore } from './store/sqlite/sqlite.ts';

/** Milliseconds: limits on failures and registrations are per minute. */
const COUNTER_WINDOW = 60_000;

/** Throws `StartError` where another process has the folder, or a newer version wrote it. */
export function embeddedParts(
  config: ObjectsConfig,
  { log, clock }: { readonly log: Log; readonly clock: () => number },
): Pick<ObjectsDeps, 'domains' | 'limits' | 'store' | 'cache' | 'counters'> {
  const { domains, limits, folder, cacheBytes } = config;
  return {
    domains,
    limits,
    store: openSqliteStore({ folder, clock, onTrouble: (what, error) => log.error({ error }, what) }),
    cache: createMemoryCache({ bytes: cacheBytes }),
    counters: createMemoryCounters({ window: COUNTER_WINDOW, clock }),
  };
}
