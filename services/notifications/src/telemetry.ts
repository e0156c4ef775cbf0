import type { Change } from '@fosp/bus';
import type { Log, Metrics } from '@fosp/runtime';

/** What this service tells its operator, one function per event. */
export interface Telemetry {
  /** Numbers of notifications handed to the bus: for users of ours, and of other domains; and of those dropped there. */
  fannedOut(
    change: Change,
    told: { readonly delivered: number; readonly queued: number; readonly dropped: number },
  ): void;
  /** A change came that was handled before. */
  repeated(change: Change): void;
  /** Will be handled again, and the tree's later changes wait for it. */
  failed(change: Change, error: unknown): void;
}

export function createTelemetry(log: Log, metrics: Metrics): Telemetry {
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
  const repeats = metrics.counter('fosp_notifications_repeats_total', 'Changes that came again and were dropped.');
  const failures = metrics.counter('fosp_notifications_failures_total', 'Changes that failed and will be tried again.');
  let isDropping = false;
  return {
    fannedOut({ tree, sequence }, told) {
      changes.add();
      delivered.add(told.delivered);
      queued.add(told.queued);
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
