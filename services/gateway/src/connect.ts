/** CONNECT: which version, domain and extensions hold on a connection (SPEC §7, PROTOCOL §3, §10). */
import { fospError, normaliseDomain } from '@fosp/protocol';
import type { GatewayConfig } from './config.ts';
import { type Members, parseMembers, stringMember } from './json-body.ts';

export const VERSIONS: readonly string[] = ['0.1'];

/** `ack`, `retire` and `trace` are for links of servers alone, and do nothing for clients. */
export const EXTENSIONS = ['ack', 'etag', 'page', 'password', 'resume', 'retire', 'trace'] as const;

/** Which extensions are in force on a connection. */
export type Extensions = Readonly<Record<(typeof EXTENSIONS)[number], boolean>>;

export const NO_EXTENSIONS: Extensions = {
  ...{ ack: false, etag: false, page: false, password: false },
  ...{ resume: false, retire: false, trace: false },
};

/** How a user may prove who they are: by name and password, or by the token that the extension `resume` gives. */
const MECHANISMS = ['password', 'token'];

export interface Agreement {
  readonly domain: string;
  readonly extensions: Extensions;
}

/**
 * Reads the body of CONNECT. Unknown members and extensions are ignored.
 *
 * @throws FospError `malformed`, `version`, or `wrong-server` where the named domain is not one of ours
 */
export function agree(body: Uint8Array, domains: readonly string[]): Agreement {
  const members = parseMembers(body);
  const version = stringMember(members, 'version');
  if (!VERSIONS.includes(version)) {
    throw fospError('version', `Version ${JSON.stringify(version.slice(0, 32))} of FOSP is not spoken here.`, {
      body: { versions: VERSIONS },
    });
  }
  return { domain: domainOf(members, domains), extensions: extensionsOf(members) };
}

/** What CONNECT is answered but for the nonce; alike for all connections of a domain. */
export function greeting(domain: string, config: GatewayConfig): string {
  const { object, acl, attachment, message, requests } = config.limits;
  return JSON.stringify({
    version: VERSIONS[0],
    domain,
    extensions: EXTENSIONS.filter((name) => isOffered(name, config)),
    mechanisms: MECHANISMS,
    registration: config.registration === 'open',
    limits: { object, acl, attachment, message, requests },
  });
}

function isOffered(name: (typeof EXTENSIONS)[number], { federation, tracePeers }: GatewayConfig): boolean {
  switch (name) {
    case 'ack':
    case 'retire':
      return federation;
    case 'trace':
      return federation && tracePeers.length > 0;
    default:
      return true;
  }
}

/** With what a server of another domain may prove itself by, once (PROTOCOL §9). */
export function withNonce(greeting: string, nonce: string): string {
  return `${greeting.slice(0, -1)},"nonce":"${nonce}"}`;
}

function domainOf(members: Members, domains: readonly string[]): string {
  const [first = ''] = domains;
  if (members['domain'] === undefined) {
    return first;
  }
  const domain = normaliseDomain(stringMember(members, 'domain'));
  if (!domains.includes(domain)) {
    throw fospError('wrong-server', `This server does not serve the domain ${domain}.`);
  }
  return domain;
}

function extensionsOf(members: Members): Extensions {
  const named = members['extensions'];
  if (named === undefined) {
    return NO_EXTENSIONS;
  }
  if (!Array.isArray(named) || !named.every((name) => typeof name === 'string')) {
    throw fospError('malformed', '"extensions" must be a list of strings.');
  }
  return {
    ack: named.includes('ack'),
    etag: named.includes('etag'),
    page: named.includes('page'),
    password: named.includes('password'),
    resume: named.includes('resume'),
    retire: named.includes('retire'),
    trace: named.includes('trace'),
  };
}
