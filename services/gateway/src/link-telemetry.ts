/** What a gateway tells its operator of other domains' servers. Whoever misbehaves does so often: lines are few, counts are whole. */
import { KeyedRate, type ServerLinkTelemetry } from '@fosp/exchange';
import { isFospError } from '@fosp/protocol';
import type { CounterCell, Log, Metrics } from '@fosp/runtime';

/** A server's AUTHENTICATE that was decided; without `error` it was admitted. */
export interface Claimed {
  /** Absent where it named none. */
  readonly domain: string | undefined;
  readonly address: string;
  readonly error?: unknown;
}

export interface LinkTelemetry
  extends Pick<
    ServerLinkTelemetry,
    'badLinkMessage' | 'foreignUser' | 'notificationTaken' | 'notificationRefused' | 'notPublished'
  > {
  claimed(claim: Claimed): void;
  /** A file on its way to or from another domain broke off between this process and the federation service. */
  foreignTransferFailed(error: unknown): void;
}

export interface LinkTelemetryOptions {
  readonly metrics: Metrics;
  /** Of bad messages that came over links. */
  readonly bad: CounterCell;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** Lines of the log, of one kind on one domain. */
const LINES = { perSecond: 0.1, burst: 5 };
const REMEMBERED = 1000;

export function linkTelemetry({ metrics, bad, log, clock }: LinkTelemetryOptions): LinkTelemetry {
  const claims = metrics.counters('fosp_gateway_server_claims_total', 'AUTHENTICATE of servers', ['status']);
  const foreign = metrics.counter(
    'fosp_gateway_foreign_users_total',
    'Links that were closed since they spoke for a user of another domain',
  );
  const taken = metrics.counter('fosp_gateway_remote_notifications_total', 'Notifications of other domains taken');
  const refused = metrics.counters(
    'fosp_gateway_remote_notifications_refused_total',
    'Notifications of other domains dropped',
    ['reason'],
  );
  const lines = new KeyedRate(LINES, REMEMBERED);
  let unlogged = 0;
  const warn = (kind: string, domain: string | undefined, details: Record<string, unknown>, text: string) => {
    if (lines.take(`${kind} ${domain}`, 1, clock())) {
      log.warn({ domain, ...details, unlogged }, text);
      unlogged = 0;
    } else {
      unlogged++;
    }
  };
  return {
    claimed: ({ domain, address, error }) => {
      claims.with({ status: error === undefined ? '200' : isFospError(error) ? String(error.status) : '500' }).add();
      if (error === undefined) {
        log.debug({ domain, address }, 'a server of another domain logged in');
      } else {
        const reason = isFospError(error) ? error.message : String(error);
        warn('claim', domain, { address, reason }, 'a server was not let in');
      }
    },
    badLinkMessage: (domain) => {
      bad.add();
      warn('message', domain, {}, 'a message of another domain could not be read, or answered nothing');
    },
    foreignUser: ({ link, domain, user }) => {
      foreign.add();
      warn('user', domain, { link, user }, 'a link was closed: it spoke for a user of another domain');
    },
    notificationTaken: () => taken.add(),
    notificationRefused: (domain, reason) => {
      refused.with({ reason }).add();
      warn('notification', domain, { reason }, 'a notification of another domain was dropped');
    },
    foreignTransferFailed: (error) => {
      warn('transfer', undefined, { error }, 'a transfer to or from another domain broke off');
    },
    notPublished: (domain, error) => {
      warn('publish', domain, { error }, 'a link was closed: its notifications could not be handed on');
    },
  };
}
