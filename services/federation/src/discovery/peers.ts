/** Fixed addresses of other domains (`FOSP_FEDERATION_PEERS`): the operator's word, in place of discovery. */
import { isIP } from 'node:net';
import { normaliseDomain } from '@fosp/protocol';
import { type Kind, splitList } from '@fosp/runtime';
import { isHostName } from './host-name.ts';

export interface PeerAddress {
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** With the query, `/` where none was given. */
  readonly path: string;
}

/** By domain, in the order in which they are dialled. */
export type Peers = ReadonlyMap<string, readonly PeerAddress[]>;

/** SPEC §7. */
export const WS_PORT = 1337;
export const WSS_PORT = 1338;

export const PEERS: Kind<Peers> = {
  allowed: 'domain=ws://host:port or domain=wss://host:port, comma-separated, several of one domain too',
  parse: (given) => {
    const peers = new Map<string, PeerAddress[]>();
    for (const entry of splitList(given)) {
      const { domain, address } = readPeer(entry);
      peers.set(domain, [...(peers.get(domain) ?? []), address]);
    }
    return peers;
  },
};

/** Are all of the addresses given, so that nothing needs to be looked up? */
export function isFixed(addresses: readonly PeerAddress[] | undefined): boolean {
  return addresses?.every(({ host }) => isIP(host) !== 0) ?? false;
}

function readPeer(entry: string): { readonly domain: string; readonly address: PeerAddress } {
  const [, name = '', text = ''] = /^([^=]*)=(.*)$/.exec(entry) ?? [];
  const domain = normaliseDomain(name.trim());
  if (!isHostName(domain)) {
    throw new RangeError(`"${domain}" is an address, no domain`);
  }
  const address = readAddress(text.trim());
  if (address === undefined) {
    // Not quoted whole: it may hold a password that was put here by mistake.
    throw new RangeError(`the address of ${domain} is not ws://host:port or wss://host:port`);
  }
  return { domain, address };
}

function readAddress(text: string): PeerAddress | undefined {
  const url = /^wss?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.username !== '' || url.password !== '' || url.hash !== '') {
    return undefined;
  }
  const secure = url.protocol === 'wss:';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host) === 0 && !isHostName(host)) {
    return undefined;
  }
  return { host, port: portOf(url, text), secure, path: url.pathname + url.search };
}

/** A URL forgets a port that HTTP has by default, which is not the one FOSP has. */
function portOf(url: URL, text: string): number {
  if (url.port !== '') {
    return Number(url.port);
  }
  const secure = url.protocol === 'wss:';
  const written = /^wss?:\/\/[^/?]*:\d+(?:[/?]|$)/i.test(text);
  return written ? (secure ? 443 : 80) : secure ? WSS_PORT : WS_PORT;
}
