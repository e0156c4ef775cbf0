/** What the connection to Redis tells whoever operates this process. */
import type { CounterCell, HistogramCell, Metrics } from '@fosp/runtime';

/** `get` is a read of the cache, `fill` what it then brings, `set` what makes it forget, `count` a failed login or the like. */
export const REDIS_REQUESTS = ['get', 'fill', 'set', 'count'] as const;
export type RedisRequest = (typeof REDIS_REQUESTS)[number];

export interface RequestCells {
  readonly ok: CounterCell;
  /** Refused, or not answered in time. */
  readonly failed: CounterCell;
  /** Seconds. */
  readonly duration: HistogramCell;
}

export type RedisTelemetry = Readonly<Record<RedisRequest, RequestCells>>;

/** Redis is asked by every read: most answers take less than a millisecond. */
const BUCKETS = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5];

export function createRedisTelemetry(metrics: Metrics): RedisTelemetry {
  const requests = metrics.counters(
    'fosp_redis_requests_total',
    'Requests to Redis, by whether they were answered in time.',
    ['request', 'outcome'],
  );
  const durations = metrics.histograms(
    'fosp_redis_request_seconds',
    'From a request to Redis to its answer, or to giving up.',
    {
      labelNames: ['request'],
      buckets: BUCKETS,
    },
  );
  const cellsOf = (request: RedisRequest): RequestCells => ({
    ok: requests.with({ request, outcome: 'ok' }),
    failed: requests.with({ request, outcome: 'failed' }),
    duration: durations.with({ request }),
  });
  return { get: cellsOf('get'), fill: cellsOf('fill'), set: cellsOf('set'), count: cellsOf('count') };
}

export interface RedisLevels {
  readonly isUsable: boolean;
  readonly isUsableForLimits: boolean;
}

export function addRedisLevels(metrics: Metrics, levels: RedisLevels): void {
  metrics.gauges(
    'fosp_redis_usable',
    'Whether Redis answers in time, and is asked: for the cache, and for counting failures.',
    {
      labelNames: ['for'],
      read: () => [
        { labels: { for: 'cache' }, value: levels.isUsable ? 1 : 0 },
        { labels: { for: 'limits' }, value: levels.isUsableForLimits ? 1 : 0 },
      ],
    },
  );
}
