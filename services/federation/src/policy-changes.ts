/** What becomes of links when the policy changes: those with domains that are not permitted any more end, in both directions. */
import { type Bus, linksOf } from '@fosp/bus';
import type { Log } from '@fosp/runtime';
import type { KnownDomains } from './known-domains.ts';
import type { Ownership } from './peers/ownership.ts';

export interface PolicyChangeDeps {
  readonly bus: Bus;
  /** Domains whose links may end at gateways. */
  readonly known: KnownDomains;
  readonly ownership: Ownership;
  readonly permits: (domain: string) => boolean;
  readonly log: Log;
}

export function applyPolicy({ bus, known, ownership, permits, log }: PolicyChangeDeps): void {
  for (const peer of ownership.peers) {
    if (!permits(peer.domain)) {
      peer.closeLinks(1008, 'There is no federation with this domain here any more.');
    }
    // What waits for it is dropped, or sent at last.
    peer.wake(true);
  }
  for (const domain of known.takeIf((each) => !permits(each))) {
    revoke(domain, { bus, known, log });
  }
}

/** A server of this domain is linked to a gateway of ours. */
export function heardOf(domain: string, { bus, known, permits, log }: Omit<PolicyChangeDeps, 'ownership'>): void {
  if (permits(domain)) {
    known.add(domain);
  } else {
    // The policy changed while nobody who knew of the domain was there to see it.
    revoke(domain, { bus, known, log });
  }
}

function revoke(domain: string, { bus, known, log }: Pick<PolicyChangeDeps, 'bus' | 'known' | 'log'>): void {
  try {
    bus.publishToUser(linksOf(domain), { event: 'revoked', except: '' });
  } catch (error) {
    known.add(domain);
    log.warn({ domain, error }, 'links of a domain that is not permitted any more could not be told to end');
  }
}
