import { randomBytes } from 'node:crypto';
import { type RequestOptions as HttpOptions, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { fospError } from '@fosp/protocol';
import { acceptKey, hasToken, SUBPROTOCOL } from './handshake.ts';
import { openPeer } from './open-peer.ts';
import type { PeerOptions } from './options.ts';
import type { Peer } from './peer.ts';

const DEFAULT_TIMEOUT_MS = 10_000;

export interface DialOptions extends PeerOptions {
  /** For name lookup, TCP, TLS and handshake together. Default 10,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** For `wss`: certificates, `servername` and the like. */
  readonly tls?: ConnectionOptions;
  /** Default: the system's. */
  readonly lookup?: LookupFunction;
  /** Further headers of the upgrade request. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Connects to a server at a `ws://` or `wss://` address. Rejects with FospError `unreachable` when there is no FOSP server
 * to be reached there, `timeout` when that took too long, or with the reason of the signal.
 */
export async function dial(url: string | URL, options: DialOptions): Promise<Peer> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const target = new URL(url);
  if (target.protocol !== 'ws:' && target.protocol !== 'wss:') {
    throw fospError('unreachable', `${target.href} is no ws:// or wss:// address.`);
  }
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
  try {
    signal.throwIfAborted();
    return await upgrade(target, options, signal);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (timeout.aborted) {
      throw fospError('timeout', `No connection to ${target.host} within ${timeoutMs / 1000} seconds.`, {
        cause: error,
      });
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw fospError('unreachable', `No connection to ${target.host}: ${reason}.`, { cause: error });
  }
}

function upgrade(target: URL, options: DialOptions, signal: AbortSignal): Promise<Peer> {
  const key = randomBytes(16).toString('base64');
  return new Promise((resolve, reject) => {
    const request = startRequest(target, options, { key, signal });
    request.on('error', reject);
    request.on('response', (response) => {
      response.destroy();
      reject(new Error(`it answered HTTP ${response.statusCode} instead of opening a WebSocket`));
    });
    request.on('upgrade', (response: IncomingMessage, socket: Duplex, head: Buffer) => {
      const mistake = mistakeIn(response, key);
      if (mistake !== undefined) {
        socket.destroy();
        reject(new Error(mistake));
        return;
      }
      resolve(openPeer(socket, head, { ...options, role: 'client' }));
    });
    request.end();
  });
}

function startRequest(target: URL, options: DialOptions, handshake: { key: string; signal: AbortSignal }) {
  const settings: HttpOptions = {
    host: target.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: target.port,
    path: target.pathname + target.search,
    signal: handshake.signal,
    agent: false,
    headers: {
      ...options.headers,
      Host: target.host,
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': handshake.key,
      'Sec-WebSocket-Protocol': SUBPROTOCOL,
    },
  };
  if (options.lookup !== undefined) {
    settings.lookup = options.lookup;
  }
  return target.protocol === 'ws:' ? httpRequest(settings) : httpsRequest({ ...options.tls, ...settings });
}

function mistakeIn(response: IncomingMessage, key: string): string | undefined {
  const { headers } = response;
  const protocol = headers['sec-websocket-protocol'];
  if (!hasToken(headers.upgrade, 'websocket') || headers['sec-websocket-accept'] !== acceptKey(key)) {
    return 'it does not speak WebSocket';
  }
  if (protocol !== undefined && protocol !== SUBPROTOCOL) {
    return `it wants to speak ${protocol}`;
  }
  return headers['sec-websocket-extensions'] === undefined
    ? undefined
    : 'it uses a WebSocket extension nobody asked for';
}
