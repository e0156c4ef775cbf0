import type { Log, Metrics } from '@fosp/runtime';

/**
 * Why a notification is not sent: too old, of a tree that is not ours any more, for a domain that is not permitted, defective,
 * one of too many that wait, larger than the other side takes.
 */
export type Dropped = 'expired' | 'not-ours' | 'not-permitted' | 'defective' | 'too-many' | 'too-large';

/** What the delivery of notifications tells its operator, one function per event. */
export interface DeliveryTelemetry {
  /** Notifications were written to a link; `again` of them not for the first time. */
  sent(count: number, again: number): void;
  acknowledged(count: number): void;
  dropped(domain: string, why: Dropped, count: number): void;
  /** The other side reads, and acknowledges nothing. */
  notAcknowledged(domain: string): void;
  /** What waits for a domain could not be read. */
  notRead(domain: string, error: unknown): void;
  defective(domain: string, error: unknown): void;
}

export function createDeliveryTelemetry(log: Log, metrics: Metrics): DeliveryTelemetry {
  const notifications = metrics.counters(
    'fosp_federation_notifications_total',
    'Notifications for users of other domains.',
    ['what'],
  );
  const count = (what: string, amount: number) => notifications.with({ what }).add(amount);
  return {
    sent(total, again) {
      count('sent', total);
      count('resent', again);
    },
    acknowledged: (total) => count('acknowledged', total),
    dropped(domain, why, total) {
      count(why, total);
      log.info({ domain, why, count: total }, 'notifications for another domain are dropped');
    },
    notAcknowledged: (domain) =>
      log.warn({ domain }, 'another domain acknowledges no notifications: they are sent again over a new link'),
    notRead: (domain, error) => log.warn({ domain, error }, 'what waits for another domain cannot be read now'),
    defective: (domain, error) => log.error({ domain, error }, 'a notification could not be written'),
  };
}
