import type { Log, Metrics } from '@fosp/runtime';
import type { Claim } from './claim.ts';

/** What the judging of claims tells its operator, one function per event. */
export interface TrustTelemetry {
  admitted(claim: Claim): void;
  refused(claim: Claim, reason: 'policy' | 'not-proven' | 'unknown', details?: readonly string[]): void;
  /** A server of a domain could not be asked whether a key is its own. */
  notAsked(domain: string, error: unknown): void;
  verified(to: string, isOurs: boolean): void;
}

export function createTrustTelemetry(log: Log, metrics: Metrics): TrustTelemetry {
  const claims = metrics.counters('fosp_federation_claims_total', 'Servers that said which domain they are of.', [
    'result',
  ]);
  const verifications = metrics.counters(
    'fosp_federation_verifications_total',
    'Questions of other domains whether a key is ours.',
    ['result'],
  );
  return {
    admitted({ domain, address }) {
      claims.with({ result: 'admitted' }).add();
      log.debug({ domain, address }, 'a server is believed to be of its domain');
    },
    refused({ domain, address }, reason, details) {
      claims.with({ result: reason }).add();
      // Strangers decide how often that happens.
      log.debug({ domain, address, reason, details }, 'a server is not believed to be of the domain that it claims');
    },
    notAsked: (domain, error) => log.debug({ domain, error }, 'a domain could not be asked about a server of it'),
    verified(to, isOurs) {
      verifications.with({ result: isOurs ? 'ours' : 'foreign' }).add();
      log.debug({ to, isOurs }, 'a domain asked whether a key is ours');
    },
  };
}
