import type { Log, Metrics } from '@fosp/runtime';

/** What this service tells its operator, one function per event. */
export interface Telemetry {
  /** A request for another domain was refused, since there are no links to other domains yet. */
  unreachable(domain: string): void;
}

export function createTelemetry(log: Log, metrics: Metrics): Telemetry {
  const refused = metrics.counter('fosp_federation_unreachable_total', 'Requests for domains that cannot be reached.');
  return {
    unreachable(domain) {
      refused.add();
      log.debug({ domain }, 'a request for another domain was refused');
    },
  };
}
