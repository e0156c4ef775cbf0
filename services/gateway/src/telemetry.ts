/** What a gateway tells its operator: one function per event that matters to them. */
import { CLOSE_CODES } from '@fosp/connection';
import { KeyedRate, type ServerLinkTelemetry } from '@fosp/exchange';
import {
  type Certificate,
  type CounterCell,
  DELAY_BUCKETS,
  expiryOf,
  type HistogramCell,
  type Log,
  type Metrics,
} from '@fosp/runtime';
import { addLevels, type GatewayLevels } from './levels.ts';
import { type LinkTelemetry, linkTelemetry } from './link-telemetry.ts';
import type { ProxyRefusal } from './proxy-gate.ts';

export interface GatewayTelemetry extends ServerLinkTelemetry, LinkTelemetry {
  /** A client's, without a proper head or sequence number. */
  badMessage(): void;
  opened(): void;
  /** A connection that was not taken: too many, draining, no WebSocket. */
  turnedAway(reason: string): void;
  /** A connection came faster than they are let in, and waits. */
  delayed(): void;
  /** A password is hashed. */
  hashing(): void;
  /** A load balancer's connection that did not begin as it must. */
  proxyRefused(refusal: ProxyRefusal): void;
  closed(code: number): void;
  notified(sessions: number): void;
  notificationDropped(): void;
  notificationRepeated(): void;
  moved(direction: 'up' | 'down', bytes: number): void;
  /** The file store refused or failed. */
  transferFailed(error: unknown): void;
  /** Notifications may be lost, so all sessions are closed. */
  gap(reason: string): void;
  draining(sessions: number): void;
  certificateRenewed(certificate: Certificate): void;
  /** What is in its files cannot be used. */
  certificateRefused(error: unknown): void;
}

export interface TelemetryOptions {
  readonly metrics: Metrics;
  readonly log: Log;
  readonly levels: GatewayLevels;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Of the wss port. */
  readonly certificate: Certificate | undefined;
}

const NO_HEADER =
  'a load balancer sent no proper PROXY protocol header, and its connection was closed: switch it on there, or leave its address out of FOSP_PROXIES';

/** Lines of the log on load balancers: what is beyond it is counted alone. */
const PROXY_LINES = { perSecond: 0.1, burst: 5 };

export function createTelemetry({ metrics, log, levels, clock, certificate }: TelemetryOptions): GatewayTelemetry {
  addLevels(metrics, levels);
  const delayed = metrics.counter('fosp_gateway_arrivals_delayed_total', 'Connections that waited to be let in');
  const hashes = metrics.counter('fosp_gateway_hashes_total', 'Passwords hashed');
  const opened = metrics.counter('fosp_gateway_connections_total', 'Connections opened');
  const turnedAway = metrics.counters('fosp_gateway_turned_away_total', 'Connections not taken', ['reason']);
  const closed = metrics.counters('fosp_gateway_closed_total', 'Connections closed, by close code', ['code']);
  const bad = metrics.counters('fosp_gateway_bad_messages_total', 'Messages without a proper head or sequence number', [
    'from',
  ]);
  const [badOfClients, badOfServers] = [bad.with({ from: 'client' }), bad.with({ from: 'server' })];
  const notified = metrics.counter('fosp_gateway_notifications_total', 'Notifications sent to sessions');
  const dropped = metrics.counter('fosp_gateway_notifications_dropped_total', 'Notifications over the rate, not sent');
  const repeated = metrics.counter('fosp_gateway_notifications_repeated_total', 'Notifications that came twice');
  const moved = metrics.counters('fosp_gateway_attachment_bytes_total', 'Bytes of attachments', ['direction']);
  const failures = metrics.counters(
    'fosp_gateway_transfer_failures_total',
    'Files that did not arrive: the store failed, or the way to the client broke off (cut)',
    ['why'],
  );
  // There from the start: of one that appears with its first failure nobody can tell that it grew.
  const [cut, storeFailed] = [failures.with({ why: 'cut' }), failures.with({ why: 'store' })];
  const gaps = metrics.counter(
    'fosp_gateway_gaps_total',
    'Times that notifications may have been lost, so that all connections were closed',
  );
  const countTurnedAway = (reason: string) => turnedAway.with({ reason }).add();
  return {
    opened: () => opened.add(),
    turnedAway: countTurnedAway,
    delayed: () => delayed.add(),
    hashing: () => hashes.add(),
    proxyRefused: proxyRefusedBy(log, countTurnedAway, clock),
    closed: (code) => closed.with({ code: isOurs(code) ? String(code) : 'other' }).add(),
    answered: answeredBy(metrics),
    badMessage: () => badOfClients.add(),
    notified: (sessions) => notified.add(sessions),
    notificationDropped: () => dropped.add(),
    notificationRepeated: () => repeated.add(),
    moved: (direction, bytes) => moved.with({ direction }).add(bytes),
    transferCut: (requestId, error) => {
      cut.add();
      log.warn({ requestId, error }, 'an attachment could not be sent to its end');
    },
    transferFailed: (error) => {
      storeFailed.add();
      log.warn({ error }, 'the file store failed');
    },
    unexpected: (requestId, error) => log.error({ requestId, error }, 'a request failed unexpectedly'),
    failedElsewhere: (requestId, type) => log.warn({ requestId, type }, 'a request failed in a service that was asked'),
    ...linkTelemetry({ metrics, bad: badOfServers, log, clock }),
    gap: (reason) => {
      gaps.add();
      log.warn({ reason }, 'notifications may be lost: all connections are closed');
    },
    draining: (sessions) => log.info({ sessions }, 'closing all connections'),
    ...certificateTelemetry(metrics, log, certificate),
  };
}

function certificateTelemetry(
  metrics: Metrics,
  log: Log,
  certificate: Certificate | undefined,
): Pick<GatewayTelemetry, 'certificateRenewed' | 'certificateRefused'> {
  let expires = certificate && expiryOf(certificate.cert);
  const until = () => new Date((expires ?? Number.NaN) * 1000);
  const help = 'Until when the certificate of the wss port holds, in seconds since 1970';
  metrics.gauge('fosp_gateway_certificate_expiry_timestamp_seconds', help, () => expires);
  return {
    certificateRenewed: ({ cert }) => {
      expires = expiryOf(cert);
      log.info({ until: until() }, 'the certificate was renewed');
    },
    certificateRefused: (error) =>
      log.error({ error, until: until() }, 'the renewed certificate and key cannot be used; the former go on'),
  };
}

/** A balancer that is set up wrongly does it with every connection: a few lines tell as much as all. */
function proxyRefusedBy(
  log: Log,
  count: (reason: string) => void,
  clock: () => number,
): GatewayTelemetry['proxyRefused'] {
  const rate = new KeyedRate(PROXY_LINES, 1);
  let unlogged = 0;
  return ({ reason, proxy, mistake }) => {
    count(reason);
    if (!rate.take('', 1, clock())) {
      unlogged++;
      return;
    }
    log.warn({ proxy, mistake, unlogged }, NO_HEADER);
    unlogged = 0;
  };
}

/** Clients may close with thousands of codes of their own. */
function isOurs(code: number): boolean {
  return Object.values(CLOSE_CODES).some((known) => known.code === code);
}

interface RequestCells {
  readonly byStatus: { readonly count: CounterCell; readonly duration: HistogramCell }[];
  /** The same, with bounds for what takes long. */
  readonly transfer: HistogramCell | undefined;
}

/** Per request, so it must be cheap: the cells of a type and status are found by two plain look-ups. */
function answeredBy(metrics: Metrics): GatewayTelemetry['answered'] {
  const counters = metrics.counters('fosp_gateway_requests_total', 'Requests answered', ['type', 'status']);
  const durations = metrics.histograms(
    'fosp_gateway_request_seconds',
    'From the request to its answer, by the class of its status: 2xx, 3xx, 4xx or 5xx',
    { labelNames: ['type', 'class'] },
  );
  const transfers = metrics.histograms('fosp_gateway_transfer_seconds', 'How long READ and WRITE of files took', {
    labelNames: ['type'],
    buckets: DELAY_BUCKETS,
  });
  const cells = new Map<string, RequestCells>();
  return (type, status, milliseconds) => {
    let cell = cells.get(type);
    if (cell === undefined) {
      const transfer = type === 'READ' || type === 'WRITE' ? transfers.with({ type }) : undefined;
      cell = { byStatus: [], transfer };
      cells.set(type, cell);
    }
    let own = cell.byStatus[status];
    if (own === undefined) {
      const duration = durations.with({ type, class: `${Math.trunc(status / 100)}xx` });
      own = { count: counters.with({ type, status: String(status) }), duration };
      cell.byStatus[status] = own;
    }
    own.count.add();
    own.duration.observe(milliseconds / 1000);
    cell.transfer?.observe(milliseconds / 1000);
  };
}
