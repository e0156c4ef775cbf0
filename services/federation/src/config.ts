/** What federation is set by: its environment, read once. Bounds that no operator needs are options of the parts. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import {
  ACL_LIMIT,
  ATTACHMENT_LIMIT,
  DOMAINS,
  FEDERATION_ENABLED,
  OBJECT_LIMIT,
  QUEUE_DAYS,
  REQUESTS_LIMIT,
  TRACE_PEERS,
  TRANSFER_MEMORY,
} from '@fosp/bus/deployment';
import {
  bytes,
  type CertificateSettings,
  certificateOf,
  type Kind,
  networks,
  onOff,
  PEM_FILE,
  port,
  type Settings,
  seconds,
  splitList,
  text,
  variable,
} from '@fosp/runtime';
import type { DiscoverySettings } from './discovery/options.ts';
import { PEERS } from './discovery/peers.ts';
import type { FederationLimits } from './limits.ts';
import { secureContextOf } from './links/dial-context.ts';
import { DOMAIN_LIST } from './policy/domain-patterns.ts';
import type { PolicySettings } from './policy/policy.ts';

/** A file's content, where its name is given; text that is the PEM itself is taken as it is. */
const CERTIFICATES: Kind<readonly string[]> = {
  allowed: 'the name of a PEM file',
  parse: (given) => {
    const pem = given.includes('-----BEGIN') ? given : readFileSync(given, 'utf8');
    const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
    if (certificates.length === 0) {
      throw new RangeError('has no certificate');
    }
    return certificates.map((certificate) => new X509Certificate(certificate).toString());
  },
};

const DNS_SERVERS: Kind<readonly string[]> = {
  allowed: 'addresses such as 127.0.0.1:5353 or [::1]:53, comma-separated',
  parse: (given) => {
    const servers = splitList(given);
    for (const server of servers) {
      const [, bracketed, plain, port = '53'] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(server) ?? [];
      const whole = isIP(server) !== 0;
      if (!whole && (isIP(bracketed ?? plain ?? '') === 0 || Number(port) < 1 || Number(port) > 65_535)) {
        throw new RangeError(`"${server}" is no address of a DNS server`);
      }
    }
    return servers;
  },
};

export const FEDERATION_VARIABLES = {
  domains: DOMAINS,
  enabled: FEDERATION_ENABLED,
  tracePeers: TRACE_PEERS,
  allow: variable(
    'FOSP_FEDERATION_ALLOW',
    '',
    'the only domains with which there is; all where it is empty',
    DOMAIN_LIST,
  ),
  block: variable('FOSP_FEDERATION_BLOCK', '', 'domains with which there is not, allowed or not', DOMAIN_LIST),
  policyFile: text(
    'FOSP_FEDERATION_POLICY_FILE',
    undefined,
    'a JSON file with further lists, {"allow": [], "block": []}, read again when it changes',
  ),
  peers: variable(
    'FOSP_FEDERATION_PEERS',
    '',
    'fixed addresses of other domains, used in place of discovery, for dialling and for trust',
    PEERS,
  ),
  privateNetworks: networks(
    'FOSP_FEDERATION_PRIVATE',
    '',
    'networks whose loopback or private addresses may be dialled and believed',
  ),
  plain: onOff(
    'FOSP_FEDERATION_PLAIN',
    'off',
    'plain ws and port 1337 with peers that are not configured: anybody on the way may read along, and pose as them',
  ),
  dnsServers: variable(
    'FOSP_DNS_SERVERS',
    '',
    "resolvers for other domains; the system's where it is empty",
    DNS_SERVERS,
  ),
  cacheSeconds: seconds(
    'FOSP_FEDERATION_CACHE_SECONDS',
    300,
    'how long it is remembered at most where the servers of a domain are, and for SRV records always',
    { min: 1, max: 86_400 },
  ),
  lookupSeconds: seconds('FOSP_FEDERATION_LOOKUP_SECONDS', 5, 'how long looking up the servers of a domain may take', {
    min: 1,
    max: 60,
  }),
  authorities: variable(
    'FOSP_FEDERATION_CA',
    undefined,
    'certificates of authorities that are believed beside those that Node knows',
    CERTIFICATES,
  ),
  certificate: variable(
    'FOSP_FEDERATION_CERT',
    undefined,
    'certificate chain that is shown to servers of other domains, which proves our domain to those that look at it; read again when it changes',
    PEM_FILE,
  ),
  key: variable('FOSP_FEDERATION_KEY', undefined, 'private key of that certificate, likewise', {
    ...PEM_FILE,
    secret: true,
  }),
  queueDays: QUEUE_DAYS,
  queueBytes: bytes(
    'FOSP_FEDERATION_QUEUE_BYTES',
    '1 GiB',
    'what may wait for another domain, of one of ours: beyond it the oldest is forgotten',
    { min: 1024 * 1024 },
  ),
  transferHost: text(
    'FOSP_FEDERATION_HOST',
    '127.0.0.1',
    'address that hands files of other domains to gateways, and takes them',
  ),
  transferPort: port('FOSP_FEDERATION_PORT', 0, 'port there; 0 = any free one'),
  transferAdvertisedHost: text(
    'FOSP_FEDERATION_ADVERTISED_HOST',
    undefined,
    'name or address by which gateways reach it, where it is another',
  ),
  transferMemory: TRANSFER_MEMORY,
  object: OBJECT_LIMIT,
  acl: ACL_LIMIT,
  attachment: ATTACHMENT_LIMIT,
  requests: REQUESTS_LIMIT,
} as const;

export interface FederationConfig {
  readonly discovery: DiscoverySettings;
  readonly policy: PolicySettings;
  /** For dialling: whose certificates are believed beside those that Node knows, and which one is shown. */
  readonly authorities: readonly string[] | undefined;
  readonly certificate: CertificateSettings | undefined;
  /** Where gateways fetch and bring files of other domains. */
  readonly transfers: { readonly host: string; readonly port: number; readonly advertisedHost: string | undefined };
  /** Bytes: all messages in transit; an object with its `acl`; a file. */
  readonly transferMemory: number;
  readonly object: number;
  readonly attachment: number;
  /** Of one user in flight. */
  readonly requests: number;
  /** Domains with which traces are shared, normalised. */
  readonly tracePeers: readonly string[];
  readonly limits: Pick<FederationLimits, 'queueSeconds' | 'queuedBytes' | 'requestsPerUser'>;
}

/**
 * The configuration that the environment asks for.
 *
 * @throws StartError where only one of certificate and key is given, or they do not fit
 */
export function federationConfig(settings: Settings<typeof FEDERATION_VARIABLES>): FederationConfig {
  const { domains, peers, privateNetworks, plain, dnsServers, cacheSeconds, lookupSeconds, authorities } = settings;
  const { transferMemory, object, acl, attachment, requests, tracePeers } = settings;
  const { enabled, allow, block, policyFile: file, queueDays, queueBytes: queuedBytes } = settings;
  const secureContext = secureContextOf({ authorities });
  const certificateVariables = { cert: 'FOSP_FEDERATION_CERT', key: 'FOSP_FEDERATION_KEY' };
  return {
    discovery: { domains, peers, privateNetworks, plain, dnsServers, cacheSeconds, lookupSeconds, secureContext },
    policy: { enabled, allow, block, file },
    authorities,
    certificate: certificateOf(settings.certificate, settings.key, certificateVariables),
    transfers: {
      host: settings.transferHost,
      port: settings.transferPort,
      advertisedHost: settings.transferAdvertisedHost,
    },
    ...{ transferMemory, attachment, requests, tracePeers, object: object + acl },
    limits: { queueSeconds: queueDays * 24 * 3600, queuedBytes, requestsPerUser: requests },
  };
}
