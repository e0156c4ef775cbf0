import type { Backlog, Change } from '@fosp/bus';
import { DELAY_BUCKETS, type Log, type Metrics } from '@fosp/runtime';

export interface ToldCounts {
  readonly delivered: number;
  readonly queued: number;
  readonly dropped: number;
  readonly refused: number;
}

/** What this service tells its operator, one function per event. */
export interface Telemetry {
  /**
   * Numbers of notifications handed to the bus: for users of ours, and of other domains; and of those dropped there, and `refused`
   * since too much of their tree waits already.
   */
  fannedOut(change: Change, told: ToldCounts): void;
  /** So many milliseconds after it was begun, and after the stream had it. */
  handled(times: { readonly took: number; readonly since: number }): void;
  /** A change came that was handled before. */
  repeated(change: Change): void;
  /** Will be handled again, and the tree's later changes wait for it. */
  failed(change: Change, error: unknown): void;
}

/** Milliseconds between lines of the log on trees of which too much waits: each of their changes would write one. */
const REFUSAL_LINE_MS = 10_000;

export function createTelemetry(log: Log, metrics: Metrics, clock: () => number): Telemetry {
  const changes = metrics.counter('fosp_notifications_changes_total', 'Changes told to whom they concern.');
  const delivered = metrics.counter(
    'fosp_notifications_delivered_total',
    'Notifications handed over for users of ours.',
  );
  const queued = metrics.counter(
    'fosp_notifications_remote_total',
    'Notifications that wait, or waited, for users of other domains.',
  );
  const dropped = metrics.counter(
    'fosp_notifications_remote_dropped_total',
    'Notifications for users of other domains, dropped since FOSP_FEDERATION is off.',
  );
  const refused = metrics.counter(
    'fosp_notifications_remote_refused_total',
    'Notifications for users of other domains, dropped since too many of their tree wait already.',
  );
  let refusedAt = Number.NEGATIVE_INFINITY;
  const repeats = metrics.counter('fosp_notifications_repeats_total', 'Changes that came again and were dropped.');
  const failures = metrics.counter('fosp_notifications_failures_total', 'Changes that failed and will be tried again.');
  const took = metrics.histogram('fosp_notifications_change_seconds', 'How long it took to tell one change to all.');
  const delay = metrics.histogram(
    'fosp_notifications_delay_seconds',
    'From when the stream had a change until all were told of it.',
    DELAY_BUCKETS,
  );
  let isDropping = false;
  return {
    handled(times) {
      took.observe(times.took / 1000);
      // The clock of the server that stamps the stream is another.
      delay.observe(Math.max(0, times.since) / 1000);
    },
    fannedOut({ tree, sequence }, told) {
      changes.add();
      delivered.add(told.delivered);
      queued.add(told.queued);
      if (told.refused > 0) {
        refused.add(told.refused);
        if (clock() - refusedAt >= REFUSAL_LINE_MS) {
          refusedAt = clock();
          const text =
            'users of other domains are not told of a change: too much of its tree waits for domains already';
          log.warn({ tree, sequence, refused: told.refused }, text);
        }
      }
      if (told.dropped > 0) {
        dropped.add(told.dropped);
        // Said aloud once, since it will go on.
        const level = isDropping ? 'debug' : 'info';
        isDropping = true;
        log[level](
          { tree, sequence, dropped: told.dropped },
          'users of other domains are not told: notifications for them are dropped',
        );
      }
    },
    repeated({ tree, sequence }) {
      repeats.add();
      log.debug({ tree, sequence }, 'a change came again');
    },
    failed({ tree, sequence }, error) {
      failures.add();
      log.warn({ tree, sequence, error }, 'a change could not be told to whom it concerns; will try again');
    },
  };
}

export interface LagOptions {
  /** Of the partitions that this process takes. */
  readonly backlogs: () => Promise<readonly Backlog[]>;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** How far behind this process is, asked for when metrics are read. */
export function addLag(metrics: Metrics, { backlogs, clock }: LagOptions): void {
  const asked = metrics.asked(backlogs);
  const perPartition = (name: string, help: string, levelOf: (backlog: Backlog) => number) => {
    metrics.gauges(name, help, {
      labelNames: ['partition'],
      read: async () =>
        ((await asked.latest()) ?? []).map((backlog) => ({
          labels: { partition: backlog.subject.slice(backlog.subject.lastIndexOf('.') + 1) },
          value: levelOf(backlog),
        })),
    });
  };
  metrics.gauge(
    'fosp_notifications_partitions_owned',
    'Partitions of the stream of changes that this process takes: over all processes there are 16.',
    async () => (await asked.latest())?.length,
  );
  perPartition(
    'fosp_notifications_lag_changes',
    'Changes in a partition that this process takes which are not told yet.',
    ({ messages }) => messages,
  );
  perPartition('fosp_notifications_lag_seconds', 'Age of the oldest of them; 0 without any.', ({ oldestAt }) =>
    oldestAt === undefined ? 0 : Math.max(0, clock() - oldestAt) / 1000,
  );
}
