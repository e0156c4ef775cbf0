/** What the connections to the database tell whoever operates this process. */
import type { HistogramCell, Metrics } from '@fosp/runtime';

/** Connections by what they are for. */
export const POOLS = ['writes', 'commits', 'listings', 'reads'] as const;
export type PoolName = (typeof POOLS)[number];

export interface PoolLevels {
  /** Connections at most. */
  readonly limit: number;
  /** That somebody has, or that have statements without an answer. */
  readonly inUse: number;
  /** That are open, and nobody has. */
  readonly idle: number;
  /** Who waits for one; of the pool for reads, statements that wait for their answers. */
  readonly waiting: number;
}

export interface PostgresTelemetry {
  opened(): void;
  lost(): void;
  /** So many were told to come back, since too many wait already, or waited for too long. */
  refused(what: 'reads' | 'writes', count?: number): void;
  /** Seconds from the sending of a group of statements to its answer. */
  readonly roundTrips: Readonly<Record<PoolName, HistogramCell>>;
}

export interface PostgresLevels {
  readonly isUp: () => boolean;
  readonly pools: Readonly<Record<PoolName, () => PoolLevels>>;
}

const REFUSED = 'Reads and writes refused since too many wait for the database, or waited for too long.';

export function createPostgresTelemetry(metrics: Metrics): PostgresTelemetry {
  const opened = metrics.counter(
    'fosp_postgres_connections_opened_total',
    'Connections to the database that were opened.',
  );
  const lost = metrics.counter(
    'fosp_postgres_connections_lost_total',
    'Connections to the database that broke or ended.',
  );
  const refused = metrics.counters('fosp_postgres_refused_total', REFUSED, ['what']);
  const refusals = { reads: refused.with({ what: 'reads' }), writes: refused.with({ what: 'writes' }) };
  const roundTrips = metrics.histograms(
    'fosp_postgres_round_trip_seconds',
    'From the sending of statements that travel together to their answer.',
    { labelNames: ['pool'] },
  );
  const cellOf = (pool: PoolName) => roundTrips.with({ pool });
  return {
    opened: () => opened.add(),
    lost: () => lost.add(),
    refused: (what, count) => refusals[what].add(count),
    roundTrips: {
      writes: cellOf('writes'),
      commits: cellOf('commits'),
      listings: cellOf('listings'),
      reads: cellOf('reads'),
    },
  };
}

export function addPostgresLevels(metrics: Metrics, { isUp, pools }: PostgresLevels): void {
  metrics.gauge('fosp_postgres_up', 'Whether the database can be reached, and takes writes.', () => (isUp() ? 1 : 0));
  metrics.gauges('fosp_postgres_connections', 'Open connections to the database, by what they are for.', {
    labelNames: ['pool', 'state'],
    read: () =>
      POOLS.flatMap((pool) => {
        const { inUse, idle } = pools[pool]();
        return [
          { labels: { pool, state: 'in-use' }, value: inUse },
          { labels: { pool, state: 'idle' }, value: idle },
        ];
      }),
  });
  const perPool = (name: string, help: string, levelOf: (levels: PoolLevels) => number) => {
    metrics.gauges(name, help, {
      labelNames: ['pool'],
      read: () => POOLS.map((pool) => ({ labels: { pool }, value: levelOf(pools[pool]()) })),
    });
  };
  perPool('fosp_postgres_connections_limit', 'Connections to the database at most.', ({ limit }) => limit);
  perPool(
    'fosp_postgres_waiting',
    'Who waits for a connection; of reads, which share theirs, statements without an answer.',
    ({ waiting }) => waiting,
  );
}
