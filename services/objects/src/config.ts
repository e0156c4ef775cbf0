/** What this service is set by. */
import { join } from 'node:path';
import { ACL_LIMIT, DATA_DIRECTORY, DOMAINS, HASH_MEMORY, OBJECT_LIMIT } from '@fosp/bus/deployment';
import {
  bytes,
  count,
  PROCESS_VARIABLES,
  REQUIRED,
  type Secret,
  type Settings,
  seconds,
  secretText,
  secretUrl,
} from '@fosp/runtime';
import { DEFAULT_LIMITS, type ObjectsLimits } from './limits.ts';
import { DEFAULT_CONNECTIONS, LEAST_CONNECTIONS } from './store/postgres/shares.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Of `FOSP_DRAIN_SECONDS`, what events on their way may take. */
const DRAIN_SHARE = 0.2;

const POSTGRES = { protocols: ['postgres', 'postgresql'] };

/** For a process that is one of several, which SQLite cannot be shared by. */
export const POSTGRES_VARIABLE = secretUrl('FOSP_POSTGRES_URL', REQUIRED, 'database for trees and accounts', POSTGRES);

/** What the program that migrates reads besides. */
export const MIGRATE_VARIABLES = {
  postgres: secretUrl(
    'FOSP_MIGRATION_POSTGRES_URL',
    undefined,
    'the same database by another way, where FOSP_POSTGRES_URL leads to a pooler that keeps no sessions',
    POSTGRES,
  ),
} as const;

export const OBJECTS_VARIABLES = {
  domains: DOMAINS,
  dataDirectory: DATA_DIRECTORY,
  postgres: secretUrl('FOSP_POSTGRES_URL', undefined, 'database for trees and accounts, in place of SQLite', POSTGRES),
  postgresConnections: count(
    'FOSP_POSTGRES_CONNECTIONS',
    DEFAULT_CONNECTIONS,
    'connections to it that one process has at most; those of all processes, and some, are what it must allow',
    { min: LEAST_CONNECTIONS, max: 10_000 },
  ),
  drainSeconds: PROCESS_VARIABLES.drainSeconds,
  object: OBJECT_LIMIT,
  acl: ACL_LIMIT,
  registrations: count(
    'FOSP_LIMIT_REGISTRATIONS_PER_MINUTE',
    DEFAULT_LIMITS.registrationsPerAddress,
    'new accounts per client address',
    { min: 1 },
  ),
  loginFailures: count(
    'FOSP_LIMIT_LOGIN_FAILURES_PER_MINUTE',
    DEFAULT_LIMITS.failuresPerAccount,
    'wrong passwords per account, and ten times that per client address; only failures count',
    { min: 1 },
  ),
  hashMemory: HASH_MEMORY,
  token: seconds('FOSP_TOKEN_SECONDS', DEFAULT_LIMITS.tokenLifetime / 1000, 'how long a token logs in', { min: 1 }),
  transfer: seconds(
    'FOSP_TRANSFER_SECONDS',
    DEFAULT_LIMITS.transferLifetime / 1000,
    'how long a replaced file is kept for whoever still reads it',
    { min: 1 },
  ),
  upload: seconds(
    'FOSP_UPLOAD_SECONDS',
    DEFAULT_LIMITS.pendingLifetime / 1000,
    'how long an upload may take before what it left is removed',
    { min: 1 },
  ),
  cache: bytes('FOSP_OBJECT_CACHE', '64 MiB', 'memory for objects that are ready to be read', { min: MIB }),
  redis: secretText(
    'FOSP_REDIS_URL',
    undefined,
    'Redis for them in place of memory, redis://user:password@host:port; nodes of a cluster, separated by commas',
  ),
  redisPatience: count(
    'FOSP_REDIS_PATIENCE_MS',
    25,
    'milliseconds that a read waits for Redis before it asks the database; writes and logins wait 20 times as long, 5 s at most',
    { min: 1, max: 1_000 },
  ),
} as const;

export interface ObjectsConfig {
  /** Normalised. */
  readonly domains: readonly string[];
  /** Of the embedded database. */
  readonly folder: string;
  readonly cacheBytes: number;
  /** Of a Redis in place of memory; may hold a password. */
  readonly redisUrl: Secret<string> | undefined;
  /** Milliseconds. */
  readonly redisPatience: number;
  /** Of a Postgres in place of the folder; may hold a password. */
  readonly postgresUrl: Secret<string> | undefined;
  /** Of one process, all together. */
  readonly postgresConnections: number;
  readonly limits: ObjectsLimits;
}

export function objectsConfig(settings: Settings<typeof OBJECTS_VARIABLES>): ObjectsConfig {
  const {
    domains,
    dataDirectory,
    object,
    acl,
    registrations,
    loginFailures,
    cache,
    token,
    transfer,
    upload,
    hashMemory,
    redis,
    redisPatience,
    postgres,
    postgresConnections,
    drainSeconds,
  } = settings;
  return {
    domains,
    folder: join(dataDirectory, 'objects'),
    cacheBytes: cache,
    redisUrl: redis,
    redisPatience,
    postgresUrl: postgres,
    postgresConnections,
    limits: {
      ...DEFAULT_LIMITS,
      drainPatience: drainSeconds * 1000 * DRAIN_SHARE,
      objectBytes: object,
      aclBytes: acl,
      registrationsPerAddress: registrations,
      failuresPerAccount: loginFailures,
      failuresPerAddress: 10 * loginFailures,
      hashCost: { ...DEFAULT_LIMITS.hashCost, memory: Math.floor(hashMemory / KIB) },
      tokenLifetime: token * 1000,
      transferLifetime: transfer * 1000,
      pendingLifetime: upload * 1000,
    },
  };
}
