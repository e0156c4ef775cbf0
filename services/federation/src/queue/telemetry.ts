import type { Log, Metrics } from '@fosp/runtime';

/**
 * Why a notification is not sent: too old, of a tree that is not ours any more, for a domain that is not permitted, defective,
 * one of too many that wait, larger than the other side takes, for a domain that has no server.
 */
export type Dropped = 'expired' | 'not-ours' | 'not-permitted' | 'defective' | 'too-many' | 'too-large' | 'nowhere';

/** How many notifications were dropped, by the reason. */
export type DroppedCounts = Partial<Record<Dropped, number>>;

/** What the delivery of notifications tells its operator, one function per event. */
export interface DeliveryTelemetry {
  /** Notifications were written to a link; `again` of them not for the first time. */
  sent(count: number, again: number): void;
  acknowledged(count: number): void;
  dropped(domain: string, why: Dropped, count: number): void;
  /** What this process dropped of one domain's, as far as it remembers. */
  droppedOf(domain: string): Readonly<DroppedCounts>;
  /** The other side reads, and acknowledges nothing. */
  notAcknowledged(domain: string): void;
  /** What waits for a domain could not be read. */
  notRead(domain: string, error: unknown): void;
  defective(domain: string, error: unknown): void;
}

const DOMAINS_REMEMBERED = 10_000;

export function createDeliveryTelemetry(log: Log, metrics: Metrics): DeliveryTelemetry {
  const notifications = metrics.counters(
    'fosp_federation_notifications_total',
    'Notifications for users of other domains.',
    ['what'],
  );
  const counts = new Map<string, DroppedCounts>();
  const count = (what: string, amount: number) => notifications.with({ what }).add(amount);
  return {
    sent(total, again) {
      count('sent', total);
      count('resent', again);
    },
    acknowledged: (total) => count('acknowledged', total),
    dropped(domain, why, total) {
      count(why, total);
      const known = counts.get(domain) ?? {};
      // Those of whom nothing was dropped for longest are forgotten.
      counts.delete(domain);
      counts.set(domain, { ...known, [why]: (known[why] ?? 0) + total });
      const [oldest = domain] = counts.keys();
      if (counts.size > DOMAINS_REMEMBERED) {
        counts.delete(oldest);
      }
      log.info({ domain, why, count: total }, 'notifications for another domain are dropped');
    },
    droppedOf: (domain) => counts.get(domain) ?? {},
    notAcknowledged: (domain) =>
      log.warn({ domain }, 'another domain acknowledges no notifications: they are sent again over a new link'),
    notRead: (domain, error) => log.warn({ domain, error }, 'what waits for another domain cannot be read now'),
    defective: (domain, error) => log.error({ domain, error }, 'a notification could not be written'),
  };
}
