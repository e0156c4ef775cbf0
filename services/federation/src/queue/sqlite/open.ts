import type { Bus } from '@fosp/bus';
import type { FederationConfig } from '../../config.ts';
import type { RemoteQueue } from '../remote-queue.ts';
import type { DeliveryTelemetry } from '../telemetry.ts';
import { SQLITE_QUEUE_LIMITS, SqliteQueue, type SqliteQueueLimits } from './sqlite-queue.ts';

export interface SqliteQueueOptions {
  readonly bus: Bus;
  /** Where its file is, and nobody else's of this name. */
  readonly folder: string;
  readonly config: FederationConfig;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly limits?: Partial<SqliteQueueLimits>;
}

/** For `FederationDeps.queue`: in a file, where the bus keeps nothing. */
export function sqliteQueue({
  bus,
  folder,
  config,
  clock,
  ...given
}: SqliteQueueOptions): (telemetry: DeliveryTelemetry) => RemoteQueue {
  const limits = { ...SQLITE_QUEUE_LIMITS, ...config.limits, ...given.limits };
  return (telemetry) => new SqliteQueue({ bus, folder, limits, clock, telemetry });
}
