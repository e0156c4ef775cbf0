import type { ListeningPorts } from '@fosp/gateway';

/** Where a server is reached, and what it serves. */
export interface Addresses {
  /** `ws://127.0.0.1:1337`. */
  readonly url: string;
  readonly wsPort: number;
  /** Absent without a certificate. */
  readonly wssPort?: number;
  readonly domains: readonly string[];
  /** Absolute. */
  readonly dataDirectory: string;
}

export interface AddressFacts {
  readonly ports: ListeningPorts;
  readonly domains: readonly string[];
  readonly dataDirectory: string;
}

export function addressesOf({ ports, domains, dataDirectory }: AddressFacts): Addresses {
  const { host, ...portsAlone } = ports;
  return { ...portsAlone, url: `ws://${reachable(host)}:${ports.wsPort}`, domains, dataDirectory };
}

/** Every address of this machine includes its own. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') {
    return '127.0.0.1';
  }
  return host.includes(':') ? `[${host}]` : host;
}
