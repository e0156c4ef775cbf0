import { ERRORS } from '@fosp/protocol';
import { type CounterCell, DELAY_BUCKETS, type HistogramCell, type Log, type Metrics } from '@fosp/runtime';
import type { Place } from '../discovery/places.ts';
import { FewLines } from '../few-lines.ts';
import type { PeerLabels } from '../peers/peer-labels.ts';
import type { LinkFacts } from './link.ts';
import type { LinkEnd } from './link-ear.ts';

/** A link, by whom it is between. */
export interface Between {
  /** Ours. */
  readonly own: string;
  readonly domain: string;
}

/** What is known of a domain none of whose servers could be connected to. */
export interface Unreachable {
  /** Since it was reached, or gave a sign of life. */
  readonly failures: number;
  /** Milliseconds until it is tried again. */
  readonly pause: number;
  /** Why, server by server. */
  readonly details: string;
}

/** What links tell their operator, one function per event. */
export interface LinkTelemetry {
  opened(between: Between, facts: LinkFacts): void;
  closed(between: Between, facts: LinkFacts, end: LinkEnd): void;
  /** One server could not be connected to, or did not take us. */
  notConnected(between: Between, place: Place, error: unknown): void;
  /** No server could; it is tried again after so many milliseconds. */
  unreachable(between: Between, failed: Unreachable): void;
  /** No key could be had that proves our own domain. */
  notSigned(own: string, error: unknown): void;
  /** A request of one of our users was answered, by the other side or in its place. */
  answered(request: Answered, status: number): void;
}

export interface Answered {
  /** That it was for. */
  readonly domain: string;
  readonly type: string;
  /** Of `performance.now()`, when it was begun. */
  readonly since: number;
}

export interface LinkTelemetryOptions {
  readonly labels: PeerLabels;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

export function createLinkTelemetry({ log, metrics, clock, labels }: LinkTelemetryOptions): LinkTelemetry {
  const lines = new FewLines({ clock });
  const dials = metrics.counters('fosp_federation_dials_total', 'Attempts to make a link to one server.', ['result']);
  const dialFailures = metrics.counters(
    'fosp_federation_peer_dial_failures_total',
    'Attempts to make a link to a server that failed; by domain, where it has a label of its own.',
    ['domain'],
  );
  const answered = answeredBy(metrics, labels);
  const closed = metrics.counter('fosp_federation_links_closed_total', 'Links to other domains that ended.');
  return {
    opened({ own, domain }, { id, url, extensions }) {
      labels.reached(domain);
      dials.with({ result: 'opened' }).add();
      log.info({ link: id, own, domain, url, extensions }, 'a link to another domain is open');
    },
    closed({ own, domain }, { id }, { code, reason }) {
      closed.add();
      log.info({ link: id, own, domain, code, reason }, 'a link to another domain is closed');
    },
    notConnected({ own, domain }, { url, host }, error) {
      dials.with({ result: 'failed' }).add();
      dialFailures.with({ domain: labels.of(domain) }).add();
      log.debug({ own, domain, url, host, error }, 'a server of another domain could not be connected to');
    },
    unreachable({ own, domain }, { failures, pause, details: why }) {
      const details = { own, domain, failures, pause: Math.round(pause), why };
      const text = 'another domain cannot be reached';
      // The first time, and then less and less often.
      if (Number.isInteger(Math.log2(failures))) {
        lines.write((unlogged) => log.warn({ ...details, ...unlogged }, text));
      } else {
        log.debug(details, text);
      }
    },
    notSigned(own, error) {
      log.warn({ own, error }, 'no key could be made that proves our domain to another one');
    },
    answered,
  };
}

/** What an answer is to whoever operates this server. */
function outcomeOf(status: number): 'ok' | 'refused' | 'unreachable' | 'failed' {
  if (status < 400) {
    return 'ok';
  }
  if (status === ERRORS.unreachable.status) {
    return 'unreachable';
  }
  return status < 500 && status !== ERRORS.timeout.status ? 'refused' : 'failed';
}

interface AnswerCells {
  readonly byStatus: Map<number, CounterCell>;
  readonly duration: HistogramCell;
}

/** Per request, so its cells are found by a few plain look-ups. */
function answeredBy(metrics: Metrics, labels: PeerLabels): LinkTelemetry['answered'] {
  const requests = metrics.counters('fosp_federation_requests_total', 'Requests for other domains, answered.', [
    'type',
    'status',
  ]);
  const durations = metrics.histograms('fosp_federation_request_seconds', 'From such a request to its answer.', {
    labelNames: ['type'],
    buckets: DELAY_BUCKETS,
  });
  const ofPeers = metrics.counters(
    'fosp_federation_peer_requests_total',
    'Requests answered, by domain, where it has a label of its own, and outcome: ok, refused, failed, unreachable.',
    ['domain', 'outcome'],
  );
  const cells = new Map<string, AnswerCells>();
  return ({ domain, type, since }, status) => {
    let ofType = cells.get(type);
    if (ofType === undefined) {
      ofType = { byStatus: new Map(), duration: durations.with({ type }) };
      cells.set(type, ofType);
    }
    let cell = ofType.byStatus.get(status);
    if (cell === undefined) {
      cell = requests.with({ type, status: String(status) });
      ofType.byStatus.set(status, cell);
    }
    cell.add();
    ofType.duration.observe((performance.now() - since) / 1000);
    ofPeers.with({ domain: labels.of(domain), outcome: outcomeOf(status) }).add();
  };
}
