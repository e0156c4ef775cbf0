/** The service with everything in this process: SQLite, cache and counters. */
import type { Bus } from '@fosp/bus';
import type { Log, Metrics } from '@fosp/runtime';
import { createMemoryCache } from './cache/memory.ts';
import type { ObjectsConfig } from './config.ts';
import { createMemoryCounters } from './counters/memory.ts';
import { createObjectsService, type ObjectsService } from './objects.ts';
import { openSqliteStore } from './store/sqlite/sqlite.ts';

export interface EmbeddedObjectsDeps {
  readonly bus: Bus;
  readonly config: ObjectsConfig;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch; `Date.now`. */
  readonly clock?: () => number;
}

const MINUTE = 60_000;

/** The database is opened by `start`, which rejects with `StartError` where it cannot be. */
export function createEmbeddedObjectsService(deps: EmbeddedObjectsDeps): ObjectsService {
  const { bus, config, log, metrics, clock = Date.now } = deps;
  let service: ObjectsService | undefined;
  const open = () => {
    const onTrouble = (what: string, error?: unknown) => log.error({ error }, what);
    const store = openSqliteStore({ folder: config.folder, clock, onTrouble });
    const cache = createMemoryCache({ bytes: config.cacheBytes });
    const counters = createMemoryCounters({ window: MINUTE, clock });
    const { domains, limits } = config;
    return createObjectsService({ bus, store, cache, counters, domains, limits, log, metrics, clock });
  };
  return {
    async start() {
      service = open();
      await service.start();
    },
    drain: async () => service?.drain(),
    settled: async () => service?.settled(),
  };
}
