/** What a gateway tells its operator: one function per event that matters to them. */
import { CLOSE_CODES } from '@fosp/connection';
import type { CounterCell, HistogramCell, Log, Metrics } from '@fosp/runtime';

export interface GatewayTelemetry {
  opened(): void;
  /** A connection that was not taken: too many, draining, no WebSocket. */
  turnedAway(reason: string): void;
  closed(code: number): void;
  answered(type: string, status: number, milliseconds: number): void;
  badMessage(): void;
  notified(sessions: number): void;
  notificationDropped(): void;
  notificationRepeated(): void;
  moved(direction: 'up' | 'down', bytes: number): void;
  /** A file broke off after its head was sent. */
  transferCut(id: string, error: unknown): void;
  /** The file store refused or failed. */
  transferFailed(error: unknown): void;
  /** A defect; the client was told the id. */
  unexpected(id: string, error: unknown): void;
  /** Notifications may be lost, so all sessions are closed. */
  gap(reason: string): void;
  draining(sessions: number): void;
}

/** Levels, read whenever metrics are. */
export interface GatewayLevels {
  readonly sessions: () => number;
  readonly users: () => number;
  readonly hashing: () => number;
  readonly transitBytes: () => number;
}

export function createTelemetry(metrics: Metrics, log: Log, levels: GatewayLevels): GatewayTelemetry {
  metrics.gauge('fosp_gateway_sessions', 'Open connections', levels.sessions);
  metrics.gauge('fosp_gateway_users', 'Users with an open connection', levels.users);
  metrics.gauge('fosp_gateway_hashes', 'Password hashes running and waiting', levels.hashing);
  metrics.gauge('fosp_gateway_transit_bytes', 'Bytes of messages in transit', levels.transitBytes);
  const opened = metrics.counter('fosp_gateway_connections_total', 'Connections opened');
  const turnedAway = metrics.counters('fosp_gateway_turned_away_total', 'Connections not taken', ['reason']);
  const closed = metrics.counters('fosp_gateway_closed_total', 'Connections closed, by close code', ['code']);
  const bad = metrics.counter('fosp_gateway_bad_messages_total', 'Messages without a proper head or sequence number');
  const notified = metrics.counter('fosp_gateway_notifications_total', 'Notifications sent to sessions');
  const dropped = metrics.counter('fosp_gateway_notifications_dropped_total', 'Notifications over the rate, not sent');
  const repeated = metrics.counter('fosp_gateway_notifications_repeated_total', 'Notifications that came twice');
  const moved = metrics.counters('fosp_gateway_attachment_bytes_total', 'Bytes of attachments', ['direction']);
  return {
    opened: () => opened.add(),
    turnedAway: (reason) => turnedAway.with({ reason }).add(),
    closed: (code) => closed.with({ code: isOurs(code) ? String(code) : 'other' }).add(),
    answered: answeredBy(metrics),
    badMessage: () => bad.add(),
    notified: (sessions) => notified.add(sessions),
    notificationDropped: () => dropped.add(),
    notificationRepeated: () => repeated.add(),
    moved: (direction, bytes) => moved.with({ direction }).add(bytes),
    transferCut: (id, error) => log.warn({ id, error }, 'an attachment could not be sent to its end'),
    transferFailed: (error) => log.warn({ error }, 'the file store failed'),
    unexpected: (id, error) => log.error({ id, error }, 'a request failed unexpectedly'),
    gap: (reason) => log.warn({ reason }, 'notifications may be lost: all connections are closed'),
    draining: (sessions) => log.info({ sessions }, 'closing all connections'),
  };
}

/** Clients may close with thousands of codes of their own. */
function isOurs(code: number): boolean {
  return Object.values(CLOSE_CODES).some((known) => known.code === code);
}

/** Per request, so it must be cheap: the cells of a type and status are found by two plain look-ups. */
function answeredBy(metrics: Metrics): GatewayTelemetry['answered'] {
  const counters = metrics.counters('fosp_gateway_requests_total', 'Requests answered', ['type', 'status']);
  const durations = metrics.histograms('fosp_gateway_request_seconds', 'From the request to its answer', {
    labelNames: ['type'],
  });
  const cells = new Map<string, { readonly byStatus: CounterCell[]; readonly duration: HistogramCell }>();
  return (type, status, milliseconds) => {
    let cell = cells.get(type);
    if (cell === undefined) {
      cell = { byStatus: [], duration: durations.with({ type }) };
      cells.set(type, cell);
    }
    cell.byStatus[status] ??= counters.with({ type, status: String(status) });
    cell.byStatus[status]?.add();
    cell.duration.observe(milliseconds / 1000);
  };
}
