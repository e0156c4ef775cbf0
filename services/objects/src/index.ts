export type { Cache } from './cache/cache.ts';
export { createMemoryCache, type MemoryCacheOptions } from './cache/memory.ts';
export { OBJECTS_VARIABLES, type ObjectsConfig, objectsConfig } from './config.ts';
export type { Counters } from './counters/counters.ts';
export { createMemoryCounters, type MemoryCountersOptions } from './counters/memory.ts';
export { DEFAULT_LIMITS, type ObjectsLimits } from './limits.ts';
export { createObjectsService, type ObjectsDeps, type ObjectsService } from './objects.ts';
export { openSqliteStore, type SqliteStoreOptions } from './store/sqlite/sqlite.ts';
export type { Store } from './store/store.ts';
