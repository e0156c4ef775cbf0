/** Answers what gateways ask of servers that connect to them. */
import { type Bus, type BusSubscription, FEDERATION } from '@fosp/bus';
import { notFederated } from '../policy/policy.ts';
import type { Admission } from './admission.ts';
import { type VerificationDeps, verify } from './verification.ts';

export interface TrustDeps extends VerificationDeps {
  readonly bus: Bus;
  readonly admission: Admission;
  /** Calls of each type at once. */
  readonly calls: number;
  /** A domain's server was let in. */
  readonly admitted: (domain: string) => void;
}

export function serveTrust(deps: TrustDeps): Promise<BusSubscription[]> {
  const { bus, admission, admitted, calls: concurrency, permits } = deps;
  return Promise.all([
    bus.serve(
      FEDERATION.admit,
      async ({ fields }) => {
        const { domain, to, address, key, nonce, certificate = '' } = fields;
        const certified = certificate.split(',').filter((name) => name !== '');
        const admittedDomain = await admission.admit({ domain, to, address, key, nonce, certified });
        admitted(admittedDomain);
        if (!permits(admittedDomain)) {
          // The policy changed while it was judged, and whoever was known then was told.
          throw notFederated(admittedDomain);
        }
        return { fields: {} };
      },
      { concurrency },
    ),
    bus.serve(
      FEDERATION.verify,
      async ({ fields }) => {
        await verify(fields, deps);
        return { fields: {} };
      },
      { concurrency },
    ),
  ]);
}
