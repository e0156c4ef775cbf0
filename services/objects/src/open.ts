/** The service as its environment asks for it: with SQLite or Postgres, with memory or Redis. */
import type { Bus } from '@fosp/bus';
import { type Health, type Log, type Metrics, type Settings, StartError } from '@fosp/runtime';
import { openCaching } from './caching.ts';
import { type OBJECTS_VARIABLES, type ObjectsConfig, objectsConfig } from './config.ts';
import { createObjectsService, type ObjectsService } from './objects.ts';
import { sharesOf } from './store/postgres/shares.ts';
import { openSqliteStore } from './store/sqlite/sqlite.ts';
import type { Store } from './store/store.ts';

/** Limits on failures and registrations are per minute. */
const COUNTER_WINDOW_MS = 60_000;

export interface OpenObjectsOptions {
  readonly settings: Settings<typeof OBJECTS_VARIABLES>;
  readonly bus: Bus;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Of the process, where there is one to be asked for it. */
  readonly health?: Pick<Health, 'obstruct'>;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** Rejects with `StartError` where the database cannot be used: another process has its folder, or it is to be migrated. */
export async function openObjects(options: OpenObjectsOptions): Promise<ObjectsService> {
  const { settings, log, metrics, clock } = options;
  const config = objectsConfig(settings);
  const { redisUrl, redisPatience, cacheBytes, domains, limits } = config;
  const store = await openStore(config, options);
  const caching = await openCaching({
    isShared: config.postgresUrl !== undefined,
    ...{ redisUrl, redisPatience, cacheBytes, window: COUNTER_WINDOW_MS, log, metrics, clock },
  });
  const { cache, counters } = caching;
  const service = createObjectsService({ ...options, domains, limits, store, cache, counters });
  return {
    ...service,
    drain: async () => {
      await service.drain();
      await caching.close();
    },
  };
}

async function openStore(config: ObjectsConfig, options: OpenObjectsOptions): Promise<Store> {
  const { postgresUrl, postgresConnections, folder } = config;
  const { log, clock, health, metrics } = options;
  const onTrouble = (what: string, error?: unknown) => log.error({ error }, what);
  if (postgresUrl !== undefined) {
    // Its client takes its time to load, which a server with SQLite need not wait for.
    const { openPostgresStore } = await import('./store/postgres/postgres.ts');
    return openPostgresStore({
      url: postgresUrl.reveal(),
      ...sharesOf(postgresConnections),
      metrics,
      onTrouble,
      ...(health === undefined ? {} : { health }),
    });
  }
  try {
    return openSqliteStore({ folder, clock, onTrouble });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const text = `the data folder ${folder} cannot be used: ${reason}; FOSP_DATA_DIR names another`;
    throw new StartError(text, { cause: error });
  }
}
