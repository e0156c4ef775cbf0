import type { Log, Metrics } from '@fosp/runtime';
import { FewLines } from '../few-lines.ts';
import type { PeerDomain } from './peer-domain.ts';

/** What the holding of domains tells its operator, one function per event. */
export interface OwnershipTelemetry {
  acquired(domain: string): void;
  gaveUp(domain: string): void;
  /** The domains for which anything waits could not be read, or one of them not be taken. */
  notSwept(error: unknown): void;
}

export interface OwnershipTelemetryOptions {
  readonly peers: () => readonly PeerDomain[];
  /** Notifications that wait for them. */
  readonly queued: () => number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

export function createOwnershipTelemetry(
  log: Log,
  metrics: Metrics,
  { peers, queued, clock }: OwnershipTelemetryOptions,
): OwnershipTelemetry {
  metrics.gauge('fosp_federation_peers', 'Other domains that this process talks to', () => peers().length);
  metrics.gauge('fosp_federation_links', 'Open links to other domains', () =>
    peers().reduce((sum, { links }) => sum + links, 0),
  );
  metrics.gauge('fosp_federation_waiting', 'Requests that wait to be sent to other domains', () =>
    peers().reduce((sum, { waiting }) => sum + waiting, 0),
  );
  metrics.gauge('fosp_federation_queued', 'Notifications that wait for domains that this process talks to', queued);
  metrics.gauge(
    'fosp_federation_oldest_seconds',
    'Age of the notification that waits longest for a domain that this process talks to, as far as is known',
    () => Math.max(0, ...peers().map(({ oldestAt }) => (oldestAt === undefined ? 0 : (clock() - oldestAt) / 1000))),
  );
  const lines = new FewLines({ clock });
  const tell = (domain: string, text: string) => lines.write((unlogged) => log.info({ domain, ...unlogged }, text));
  return {
    acquired: (domain) => tell(domain, 'talking to another domain from now on'),
    gaveUp: (domain) => tell(domain, 'talking to another domain no more'),
    notSwept: (error) => log.warn({ error }, 'what waits for other domains cannot be looked after now'),
  };
}
