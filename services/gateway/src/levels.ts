/** How full a gateway is, asked for when metrics are read: nothing is counted for it meanwhile. */
import type { Metrics } from '@fosp/runtime';

export interface GatewayLevels {
  readonly sessions: () => number;
  readonly headersAwaited: () => number;
  readonly arrivalsWaiting: () => number;
  readonly users: () => number;
  readonly links: () => number;
  readonly hashing: () => number;
  readonly transitBytes: () => number;
  /** Requests of all connections that are not answered. */
  readonly inFlight: () => number;
  /** Bytes that wait to be read by their clients, per connection. */
  readonly unread: () => Iterable<number>;
  /** Files on their way. */
  readonly transfers: () => Readonly<Record<'up' | 'down', number>>;
  /** What the levels of these names may reach. */
  readonly limits: { readonly connections: number; readonly hashes: number; readonly transitBytes: number };
}

export function addLevels(metrics: Metrics, levels: GatewayLevels): void {
  const { limits } = levels;
  metrics.gauge('fosp_gateway_sessions', 'Open connections', levels.sessions);
  metrics.gauge('fosp_gateway_sessions_limit', 'Open connections at most', () => limits.connections);
  metrics.gauge(
    'fosp_gateway_headers_awaited',
    'Connections of load balancers that have not said whose they are yet',
    levels.headersAwaited,
  );
  metrics.gauge('fosp_gateway_arrivals_waiting', 'Connections that wait to be let in', levels.arrivalsWaiting);
  metrics.gauge('fosp_gateway_users', 'Users with an open connection', levels.users);
  metrics.gauge('fosp_gateway_server_links', "Open links of other domains' servers", levels.links);
  metrics.gauge('fosp_gateway_hashes', 'Password hashes running and waiting', levels.hashing);
  metrics.gauge('fosp_gateway_hashes_limit', 'Password hashes running and waiting at most', () => limits.hashes);
  metrics.gauge('fosp_gateway_transit_bytes', 'Bytes of messages in transit', levels.transitBytes);
  metrics.gauge('fosp_gateway_transit_limit_bytes', 'Bytes of messages in transit at most', () => limits.transitBytes);
  metrics.gauge('fosp_gateway_requests_in_flight', 'Requests that are not answered', levels.inFlight);
  metrics.gauge('fosp_gateway_send_queue_bytes', 'Bytes that clients have not read yet', () =>
    Iterator.from(levels.unread()).reduce((sum, bytes) => sum + bytes, 0),
  );
  metrics.gauge(
    'fosp_gateway_send_queue_largest_bytes',
    'Bytes that one client has not read yet, the most of all',
    () => Iterator.from(levels.unread()).reduce((most, bytes) => Math.max(most, bytes), 0),
  );
  metrics.gauges('fosp_gateway_transfers', 'Files on their way from clients (up) and to them (down)', {
    labelNames: ['direction'],
    read: () => Object.entries(levels.transfers()).map(([direction, value]) => ({ labels: { direction }, value })),
  });
}
