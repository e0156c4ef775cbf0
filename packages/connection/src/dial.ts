import type { LookupFunction } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { PeerOptions } from './options.ts';
import type { Peer } from './peer.ts';

export interface DialOptions extends PeerOptions {
  /** Default 10,000: name lookup, TCP, TLS and handshake together. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly tls?: ConnectionOptions;
  readonly lookup?: LookupFunction;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Connects to `ws://` or `wss://`. Rejects with FospError `unreachable`, or `timeout`, or the signal's reason. */
export declare function dial(url: string | URL, options: DialOptions): Promise<Peer>;
