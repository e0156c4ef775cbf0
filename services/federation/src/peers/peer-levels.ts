/** What an operator sees of single domains that this process talks to, asked for when metrics are read. */
import type { Metrics } from '@fosp/runtime';
import type { PeerDomain } from './peer-domain.ts';
import type { PeerLabels } from './peer-labels.ts';

export interface PeerLevels {
  readonly peers: () => readonly PeerDomain[];
  readonly labels: PeerLabels;
  /** Notifications that wait for it. */
  readonly queuedOf: (domain: string) => number;
  /** Files under way, or waiting for a link, of all of them. */
  readonly files: () => number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

const add = (one: number, other: number) => one + other;

export function addPeerLevels(metrics: Metrics, { peers, labels, queuedOf, files, clock }: PeerLevels): void {
  metrics.gauge('fosp_federation_transfers', 'Files to and from other domains under way, or waiting.', files);
  const perDomain = (
    name: string,
    help: string,
    { of, together = add }: { of: (peer: PeerDomain) => number; together?: (one: number, other: number) => number },
  ) => {
    metrics.gauges(name, `${help}; by domain, where it has a label of its own.`, {
      labelNames: ['domain'],
      read: () => {
        const values = new Map<string, number>();
        for (const peer of peers()) {
          const domain = labels.of(peer.domain);
          values.set(domain, together(values.get(domain) ?? 0, of(peer)));
        }
        return Array.from(values, ([domain, value]) => ({ labels: { domain }, value }));
      },
    });
  };
  perDomain('fosp_federation_peer_links', 'Open links', { of: ({ links }) => links });
  perDomain('fosp_federation_peer_waiting', 'Requests that wait to be sent', { of: ({ waiting }) => waiting });
  perDomain('fosp_federation_peer_queued', 'Notifications that wait', { of: ({ domain }) => queuedOf(domain) });
  perDomain('fosp_federation_peer_oldest_seconds', 'Age of the notification that waits longest, as far as is known', {
    of: ({ oldestAt }) => (oldestAt === undefined ? 0 : Math.max(0, clock() - oldestAt) / 1000),
    together: Math.max,
  });
  perDomain('fosp_federation_peer_paused', 'Domains that cannot be reached, and are left alone for a while', {
    of: ({ pairs }) => (pairs.some(({ pause }) => pause > 0) ? 1 : 0),
  });
}
