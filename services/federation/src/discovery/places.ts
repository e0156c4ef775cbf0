/** From what was found of a domain to where its servers are dialled, in order. */
import { isIP } from 'node:net';
import type { Host, LocatedServer } from './locate.ts';
import { WS_PORT, WSS_PORT } from './peers.ts';
import { orderServices } from './service-order.ts';
import { shuffled } from './shuffle.ts';
import type { WellKnownPorts } from './well-known.ts';

/** Where a server of a domain may be dialled. Only at `addresses`; what the names in it are is not looked up again. */
export interface Place {
  /** `wss://realworld.lit:1338/`: of the domain, whatever the server is called. For the handshake's `Host`. */
  readonly url: string;
  readonly secure: boolean;
  readonly port: number;
  /** The domain: what the certificate must be for, and what is asked for by SNI. */
  readonly tlsName: string;
  /** What the addresses are of, for the operator to read. */
  readonly host: string;
  /** To be tried in this order, IPv6 first. */
  readonly addresses: readonly string[];
}

export interface PlaceOptions {
  /** From 0 up to but not including 1: spreads the load over servers and addresses. */
  readonly random: () => number;
  /** May servers be dialled without TLS? */
  readonly plain: boolean;
}

export function placesOfServers(
  domain: string,
  servers: readonly LocatedServer[],
  { random }: Pick<PlaceOptions, 'random'>,
): Place[] {
  return orderServices(servers, random).map((server) => placeOf(domain, server, random));
}

/** `ports` as its well-known document says, if it has one. With TLS first; without it only where that is allowed. */
export function placesOfHost(
  domain: string,
  { host, addresses, ports }: Host & { readonly ports: WellKnownPorts | undefined },
  { random, plain }: PlaceOptions,
): Place[] {
  const place = (port: number, secure: boolean) =>
    placeOf(domain, { host, addresses, port, secure, path: '/' }, random);
  if (ports?.wssPort !== undefined) {
    return [place(ports.wssPort, true)];
  }
  if (ports?.wsPort !== undefined && plain) {
    return [place(ports.wsPort, false)];
  }
  return [place(WSS_PORT, true), ...(plain ? [place(WS_PORT, false)] : [])];
}

interface Server extends Host {
  readonly port: number;
  readonly secure: boolean;
  readonly path: string;
}

function placeOf(domain: string, { host, addresses, port, secure, path }: Server, random: () => number): Place {
  const v6 = addresses.filter((address) => isIP(address) === 6);
  const v4 = addresses.filter((address) => isIP(address) === 4);
  return {
    url: `${secure ? 'wss' : 'ws'}://${domain}:${port}${path}`,
    secure,
    port,
    tlsName: domain,
    host,
    addresses: [...shuffled(v6, random), ...shuffled(v4, random)],
  };
}
