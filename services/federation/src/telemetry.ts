/** What this service tells its operator of what it serves and transfers; its other parts have such a file of their own. */
import { KeyedRate } from '@fosp/exchange';
import type { Log, Metrics } from '@fosp/runtime';
import type { ServingTelemetry } from './serving.ts';
import type { TransferTelemetry } from './transfers/transfers.ts';

export interface TelemetryOptions {
  readonly log: Log;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** Lines of the log, of one kind on one domain: whoever misbehaves does so often. */
const LINES = { perSecond: 0.1, burst: 5 };
const REMEMBERED = 1000;

export function createServingTelemetry({ log, metrics, clock }: TelemetryOptions): ServingTelemetry {
  const served = metrics.counters(
    'fosp_federation_served_total',
    'Requests that other domains asked over links which we dialled',
    ['type', 'status'],
  );
  const bytes = metrics.counters('fosp_federation_served_bytes_total', 'Bytes of files that went with those', [
    'direction',
  ]);
  const moved = { up: bytes.with({ direction: 'up' }), down: bytes.with({ direction: 'down' }) };
  const bad = metrics.counter(
    'fosp_federation_bad_messages_total',
    'Messages without a proper head or sequence number',
  );
  const foreign = metrics.counter(
    'fosp_federation_foreign_users_total',
    'Links that were closed since they spoke for a user of another domain',
  );
  const taken = metrics.counter('fosp_federation_taken_total', 'Notifications taken over links which we dialled');
  const refused = metrics.counters('fosp_federation_taken_refused_total', 'Notifications of those, dropped', [
    'reason',
  ]);
  const lines = new KeyedRate(LINES, REMEMBERED);
  const mayTell = (kind: string, domain: string) => lines.take(`${kind} ${domain}`, 1, clock());
  return {
    answered: (type, status) => served.with({ type, status: String(status) }).add(),
    served: (direction, count) => moved[direction].add(count),
    transferCut: (requestId, error) => log.info({ requestId, error }, 'a file could not be sent to its end'),
    storeFailed: (error) => log.warn({ error }, 'the file store failed'),
    unexpected: (requestId, error) => log.error({ requestId, error }, 'a request failed unexpectedly'),
    failedElsewhere: (requestId, type) => log.warn({ requestId, type }, 'a request failed in a service that was asked'),
    badLinkMessage: (domain) => {
      bad.add();
      if (mayTell('message', domain)) {
        log.warn({ domain }, 'a message of another domain could not be read, or answered nothing');
      }
    },
    foreignUser: ({ link, domain, user }) => {
      foreign.add();
      if (mayTell('foreign', domain)) {
        log.warn({ link, domain, user }, 'a server spoke for a user of another domain: its link is closed');
      }
    },
    notificationTaken: () => taken.add(),
    notificationRefused: (domain, reason) => {
      refused.with({ reason }).add();
      if (mayTell('refused', domain)) {
        log.warn({ domain, reason }, 'a notification of another domain is dropped');
      }
    },
    notPublished: (domain, error) => {
      if (mayTell('not-published', domain)) {
        log.warn({ domain, error }, 'notifications of another domain could not be handed on: its link is closed');
      }
    },
  };
}

export function createTransferTelemetry(
  { log, metrics }: TelemetryOptions,
  answered: TransferTelemetry['answered'],
): TransferTelemetry {
  const bytes = metrics.counters('fosp_federation_file_bytes_total', 'Bytes of files to and from other domains', [
    'direction',
  ]);
  return {
    answered,
    moved: (direction, count) => bytes.with({ direction }).add(count),
    cut: (domain, reason) => log.info({ domain, reason }, 'a file to or from another domain is broken off'),
    failed: (domain, error) => log.error({ domain, error }, 'a transfer failed unexpectedly'),
  };
}
