export { FEDERATION_VARIABLES, type FederationConfig, federationConfig } from './config.ts';
export { type FederationDeps, type FederationService, openFederation } from './federation.ts';
export { FEDERATION_LIMITS, type FederationLimits } from './limits.ts';
export { type SqliteQueueOptions, sqliteQueue } from './queue/sqlite/open.ts';
