import type { Change } from '@fosp/bus';
import type { Log, Metrics } from '@fosp/runtime';

/** What this service tells its operator, one function per event. */
export interface Telemetry {
  /** Numbers of notifications handed to the bus, and of those for users of other domains, which nobody carries yet. */
  fannedOut(change: Change, told: { readonly delivered: number; readonly remote: number }): void;
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
  const dropped = metrics.counter(
    'fosp_notifications_remote_dropped_total',
    'Notifications for users of other domains, dropped since there are no links to other domains yet.',
  );
  const repeats = metrics.counter('fosp_notifications_repeats_total', 'Changes that came again and were dropped.');
  const failures = metrics.counter('fosp_notifications_failures_total', 'Changes that failed and will be tried again.');
  let isDropping = false;
  return {
    fannedOut({ tree, sequence }, told) {
      changes.add();
      delivered.add(told.delivered);
      if (told.remote > 0) {
        dropped.add(told.remote);
        // Said aloud once, since it will go on.
        const level = isDropping ? 'debug' : 'info';
        isDropping = true;
        log[level](
          { tree, sequence, dropped: told.remote },
          'no links to other domains yet: notifications for them are dropped',
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
