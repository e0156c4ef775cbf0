/** Every bound of the service by name. What an operator sets is in `config.ts`. */
import { LINK_LIMITS, type LinkLimits } from './links/limits.ts';
import { OWNERSHIP_LIMITS, type OwnershipLimits } from './peers/ownership.ts';
import { SWEEPER_LIMITS, type SweeperLimits } from './peers/sweeper.ts';
import { DELIVERY_LIMITS, type DeliveryLimits } from './queue/delivery.ts';
import { QUEUE_LIMITS, type QueueLimits } from './queue/line-bounds.ts';
import { SERVING_LIMITS, type ServingLimits } from './serving.ts';
import { TRANSFER_LIMITS, type TransferLimits } from './transfers/transfers.ts';
import type { AdmissionLimits } from './trust/admission.ts';
import type { DialBackLimits } from './trust/dial-back.ts';
import { TRUST_LIMITS } from './trust/limits.ts';

export interface FederationLimits
  extends LinkLimits,
    DeliveryLimits,
    OwnershipLimits,
    SweeperLimits,
    QueueLimits,
    ServingLimits,
    Omit<TransferLimits, 'attachment'>,
    AdmissionLimits,
    Omit<DialBackLimits, 'greetingSeconds'> {
  /** Calls that are of no domain, at once; one more is refused with 503. */
  readonly calls: number;
  /**
   * Calls that ask for somebody to talk to a domain, at once: more than all that can be looked up or wait for that
   * (`DiscoveryOptions`), where room is kept for domains that are there.
   */
  readonly adoptions: number;
  /** Domains admitted lately, that are told where the policy changes. */
  readonly domainsRemembered: number;
}

export const FEDERATION_LIMITS: FederationLimits = {
  ...TRUST_LIMITS,
  ...LINK_LIMITS,
  ...DELIVERY_LIMITS,
  ...OWNERSHIP_LIMITS,
  ...SWEEPER_LIMITS,
  ...QUEUE_LIMITS,
  ...SERVING_LIMITS,
  ...TRANSFER_LIMITS,
  calls: 2048,
  adoptions: 4096,
  domainsRemembered: 100_000,
};
