/** Who carries out a request, and whom a server may speak for (SPEC §6.5, PROTOCOL §9). */
import { domainOf } from '../resource-id.ts';

/**
 * - `local`: carry it out here.
 * - `forward`: send it to the servers of the resource's domain.
 * - `wrong-server`: 421; what came from a server is never forwarded again.
 * - `foreign-user`: close the connection, do nothing; a server speaks for users of its own domain only.
 */
export type Forwarding = 'local' | 'forward' | 'wrong-server' | 'foreign-user';

export interface ForwardingQuestion {
  /** Who asks, normalised. */
  readonly user: string;
  /** The domain of the resource, normalised. */
  readonly domain: string;
  /** The domains this cluster serves. */
  readonly ownDomains: ReadonlySet<string>;
  /** The domain that the server on the other end proved; undefined where that is a client. */
  readonly peer: string | undefined;
}

/** Whether the configuration allows it at all (403) is asked apart. */
export function forwardingOf(question: ForwardingQuestion): Forwarding {
  const { user, domain, ownDomains, peer } = question;
  if (peer !== undefined && domainOf(user) !== peer) {
    return 'foreign-user';
  }
  if (ownDomains.has(domain)) {
    return 'local';
  }
  return peer === undefined ? 'forward' : 'wrong-server';
}

export interface NotificationQuestion {
  /** The domain of the resource that changed. */
  readonly domain: string;
  /** Whom to tell, normalised. */
  readonly user: string;
  readonly ownDomains: ReadonlySet<string>;
  /** The domain that the sender proved. */
  readonly peer: string;
}

/** A notification counts only from the resource's own domain, and only for users of ours. */
export function acceptsNotification(question: NotificationQuestion): boolean {
  return question.domain === question.peer && question.ownDomains.has(domainOf(question.user));
}
