/** What federation is set by: its environment, read once. Bounds that no operator needs are options of the parts. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import {
  ACL_LIMIT,
  ATTACHMENT_LIMIT,
  DOMAINS,
  FEDERATION_ENABLED,
  OBJECT_LIMIT,
  QUEUE_DAYS,
  REQUESTS_LIMIT,
  TRANSFER_MEMORY,
} from '@fosp/bus/deployment';
import {
  type Kind,
  networks,
  onOff,
  port,
  type Settings,
  StartError,
  seconds,
  splitList,
  text,
  variable,
} from '@fosp/runtime';
import type { DiscoverySettings } from './discovery/options.ts';
import { PEERS } from './discovery/peers.ts';
import type { FederationLimits } from './limits.ts';
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

const PEM: Kind<string> = {
  allowed: 'the name of a PEM file',
  parse: (given) => (given.includes('-----BEGIN') ? given : readFileSync(given, 'utf8')),
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
    'certificate chain that is shown to servers of other domains, which proves our domain to those that look at it',
    PEM,
  ),
  key: variable('FOSP_FEDERATION_KEY', undefined, 'private key of that certificate', { ...PEM, secret: true }),
  queueDays: QUEUE_DAYS,
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
  /** For dialling: whose certificates are believed, and which one is shown. */
  readonly dialContext: SecureContext | undefined;
  /** Where gateways fetch and bring files of other domains. */
  readonly transfers: { readonly host: string; readonly port: number; readonly advertisedHost: string | undefined };
  /** Bytes: all messages in transit; an object with its `acl`; a file. */
  readonly transferMemory: number;
  readonly object: number;
  readonly attachment: number;
  /** Of one user in flight. */
  readonly requests: number;
  readonly limits: Pick<FederationLimits, 'queueSeconds' | 'requestsPerUser'>;
}

/**
 * The configuration that the environment asks for.
 *
 * @throws StartError where only one of certificate and key is given, or they do not fit
 */
export function federationConfig(settings: Settings<typeof FEDERATION_VARIABLES>): FederationConfig {
  const { domains, peers, privateNetworks, plain, dnsServers, cacheSeconds, lookupSeconds, authorities } = settings;
  const { enabled, allow, block, policyFile: file, certificate, key, queueDays } = settings;
  const { transferMemory, object, acl, attachment, requests } = settings;
  const secureContext = secureContextOf({ authorities });
  return {
    discovery: { domains, peers, privateNetworks, plain, dnsServers, cacheSeconds, lookupSeconds, secureContext },
    policy: { enabled, allow, block, file },
    dialContext:
      certificate === undefined && key === undefined ? secureContext : showing(authorities, certificate, key),
    transfers: {
      host: settings.transferHost,
      port: settings.transferPort,
      advertisedHost: settings.transferAdvertisedHost,
    },
    ...{ transferMemory, attachment, requests, object: object + acl },
    limits: { queueSeconds: queueDays * 24 * 3600, requestsPerUser: requests },
  };
}

function showing(
  authorities: readonly string[] | undefined,
  cert: string | undefined,
  key: string | undefined,
): SecureContext | undefined {
  if (cert === undefined || key === undefined) {
    throw new StartError('FOSP_FEDERATION_CERT and FOSP_FEDERATION_KEY go together: set both, or none');
  }
  try {
    return secureContextOf({ authorities, shown: { cert, key } });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(`FOSP_FEDERATION_CERT and FOSP_FEDERATION_KEY cannot be used: ${reason}`, { cause: error });
  }
}

interface ContextParts {
  readonly authorities: readonly string[] | undefined;
  readonly shown?: { readonly cert: string; readonly key: string };
}

/** `undefined` where what Node does by itself is enough, which then is shared by all connections. */
function secureContextOf({ authorities, shown }: ContextParts): SecureContext | undefined {
  if (authorities === undefined && shown === undefined) {
    return undefined;
  }
  const ca = authorities === undefined ? {} : { ca: [...getCACertificates('default'), ...authorities] };
  return createSecureContext({ ...ca, ...shown });
}
