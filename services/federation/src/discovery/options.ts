/** What discovery is set by, and every bound of it by name. */
import type { SecureContext } from 'node:tls';
import type { Networks } from '@fosp/runtime';
import type { Peers } from './peers.ts';

export interface DiscoverySettings {
  /** Our own, normalised. */
  readonly domains: readonly string[];
  readonly peers: Peers;
  /** Networks that are not public, whose addresses may be dialled and believed all the same. */
  readonly privateNetworks: Networks;
  /** Are unconfigured servers without TLS dialled? */
  readonly plain: boolean;
  /** The system's where there are none. */
  readonly dnsServers: readonly string[];
  /** How long an answer is kept at most, and where DNS does not say. */
  readonly cacheSeconds: number;
  /** For finding the addresses of one domain. */
  readonly lookupSeconds: number;
  /** Whose certificates are believed; Node's own list where there is none. */
  readonly secureContext: SecureContext | undefined;
}

export interface DiscoveryOptions {
  /** How long an answer is kept at least, whatever DNS says, and one that may lack addresses at most. */
  readonly leastSeconds: number;
  /** How long it is kept that a domain has no server; and that looking it up failed. */
  readonly absentSeconds: number;
  readonly failedSeconds: number;
  /** Domains whose answers are kept. */
  readonly domainsKept: number;
  /** Lookups that run, of which some only for domains that were found before, and that wait for it; one more is answered 503. */
  readonly lookupsAtOnce: number;
  readonly lookupsReserved: number;
  readonly lookupsWaiting: number;
  /** The same for well-known documents, which cost a connection each; and what each may take. */
  readonly documentsAtOnce: number;
  readonly documentsReserved: number;
  readonly documentsWaiting: number;
  readonly documentSeconds: number;
  readonly documentBytes: number;
  readonly httpsPort: number;
  /** Servers of one domain, and addresses of one host; more are left out. */
  readonly servers: number;
  readonly addresses: number;
}

export const DISCOVERY_DEFAULTS: DiscoveryOptions = {
  leastSeconds: 30,
  absentSeconds: 60,
  failedSeconds: 5,
  domainsKept: 10_000,
  lookupsAtOnce: 1000,
  lookupsReserved: 200,
  lookupsWaiting: 1000,
  documentsAtOnce: 200,
  documentsReserved: 50,
  documentsWaiting: 400,
  documentSeconds: 3,
  documentBytes: 64 * 1024,
  httpsPort: 443,
  servers: 16,
  addresses: 32,
};
