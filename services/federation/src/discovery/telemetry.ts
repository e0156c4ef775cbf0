import type { Log, Metrics } from '@fosp/runtime';
import type { Located } from './locate.ts';
import type { WellKnown } from './well-known.ts';

/** What discovery tells its operator, one function per event. Addresses and causes are for here, never for clients. */
export interface DiscoveryTelemetry {
  /** A domain was looked up, with this result. */
  looked(domain: string, located: Located): void;
  /** A domain, or the host that it names, has addresses that may not be dialled. */
  refusedAddresses(domain: string, host: string, addresses: readonly string[]): void;
  askedWellKnown(domain: string, answer: WellKnown): void;
}

export function createDiscoveryTelemetry(log: Log, metrics: Metrics): DiscoveryTelemetry {
  const lookups = metrics.counters('fosp_federation_lookups_total', 'Lookups of other domains, by result.', ['result']);
  const refused = metrics.counter(
    'fosp_federation_refused_addresses_total',
    'Addresses found for other domains that are not public, nor in FOSP_FEDERATION_PRIVATE.',
  );
  return {
    looked(domain, located) {
      lookups.with({ result: located.kind }).add();
      const error = located.kind === 'failed' ? located.cause : undefined;
      log.debug({ domain, result: located.kind, error }, 'a domain was looked up');
    },
    refusedAddresses(domain, host, addresses) {
      refused.add(addresses.length);
      log.info(
        { domain, host, addresses },
        'addresses that are not public, nor in FOSP_FEDERATION_PRIVATE, are left out',
      );
    },
    askedWellKnown(domain, answer) {
      log.debug({ domain, answer }, 'a domain was asked for its well-known document');
    },
  };
}
