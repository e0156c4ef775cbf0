import type { CounterCell, Log, Metrics } from '@fosp/runtime';
import type { Place } from '../discovery/places.ts';
import { FewLines } from '../few-lines.ts';
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
  answered(type: string, status: number): void;
}

export interface LinkTelemetryOptions {
  readonly log: Log;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

export function createLinkTelemetry({ log, metrics, clock }: LinkTelemetryOptions): LinkTelemetry {
  const lines = new FewLines({ clock });
  const dials = metrics.counters('fosp_federation_dials_total', 'Attempts to make a link to one server.', ['result']);
  const requests = metrics.counters('fosp_federation_requests_total', 'Requests for other domains, answered.', [
    'type',
    'status',
  ]);
  const cells = new Map<string, Map<number, CounterCell>>();
  const closed = metrics.counter('fosp_federation_links_closed_total', 'Links to other domains that ended.');
  return {
    opened({ own, domain }, { id, url, extensions }) {
      dials.with({ result: 'opened' }).add();
      log.info({ link: id, own, domain, url, extensions }, 'a link to another domain is open');
    },
    closed({ own, domain }, { id }, { code, reason }) {
      closed.add();
      log.info({ link: id, own, domain, code, reason }, 'a link to another domain is closed');
    },
    notConnected({ own, domain }, { url, host }, error) {
      dials.with({ result: 'failed' }).add();
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
    answered(type, status) {
      // Per request, so the cells of a type and status are found by two plain look-ups.
      let ofType = cells.get(type);
      if (ofType === undefined) {
        ofType = new Map();
        cells.set(type, ofType);
      }
      let cell = ofType.get(status);
      if (cell === undefined) {
        cell = requests.with({ type, status: String(status) });
        ofType.set(status, cell);
      }
      cell.add();
    },
  };
}
