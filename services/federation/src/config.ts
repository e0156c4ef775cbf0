/** What federation is set by: its environment, read once. Bounds that no operator needs are options of the parts. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { DOMAINS, FEDERATION_ENABLED } from '@fosp/bus/process';
import { type Kind, networks, onOff, type Settings, seconds, splitList, text, variable } from '@fosp/runtime';
import type { DiscoverySettings } from './discovery/options.ts';
import { PEERS } from './discovery/peers.ts';
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
} as const;

export interface FederationConfig {
  readonly discovery: DiscoverySettings;
  readonly policy: PolicySettings;
}

export function federationConfig(settings: Settings<typeof FEDERATION_VARIABLES>): FederationConfig {
  const { domains, peers, privateNetworks, plain, dnsServers, cacheSeconds, lookupSeconds, authorities } = settings;
  const { enabled, allow, block, policyFile: file } = settings;
  const secureContext = secureContextWith(authorities);
  return {
    discovery: { domains, peers, privateNetworks, plain, dnsServers, cacheSeconds, lookupSeconds, secureContext },
    policy: { enabled, allow, block, file },
  };
}

/** `undefined` where what Node does by itself is enough, which then is shared by all connections. */
function secureContextWith(authorities: readonly string[] | undefined): SecureContext | undefined {
  return authorities === undefined
    ? undefined
    : createSecureContext({ ca: [...getCACertificates('default'), ...authorities] });
}
