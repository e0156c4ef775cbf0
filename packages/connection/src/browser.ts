/** The same for browsers: everything but the server's side, and `dial` over the browser's own WebSocket. */
import { fospError } from '@fosp/protocol';
import { BrowserChannel } from './browser-channel.ts';
import { DEFAULT_PEER_LIMITS, type PeerOptions } from './options.ts';
import { Peer } from './peer.ts';

export * from './shared.ts';

const DEFAULT_TIMEOUT_MS = 10_000;
const SUBPROTOCOL = 'fosp';

export interface DialOptions extends PeerOptions {
  /** Default 10,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Connects to a server at a `ws://` or `wss://` address. Rejects with FospError `unreachable`, `timeout`, or with the reason
 * of the signal. Why a server cannot be reached, browsers do not tell.
 */
export function dial(url: string | URL, options: DialOptions): Promise<Peer> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, limits = DEFAULT_PEER_LIMITS, environment } = options;
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = new WebSocket(url, SUBPROTOCOL);
    socket.binaryType = 'arraybuffer';
    const abort = () => {
      socket.onclose = null;
      socket.close();
      const late = fospError('timeout', `No connection to ${socket.url} within ${timeoutMs / 1000} seconds.`);
      reject(timeout.aborted ? late : signal.reason);
    };
    signal.addEventListener('abort', abort);
    socket.onclose = () => {
      signal.removeEventListener('abort', abort);
      reject(fospError('unreachable', `No connection to ${socket.url}.`));
    };
    socket.onopen = () => {
      signal.removeEventListener('abort', abort);
      resolve(new Peer(new BrowserChannel(socket, environment, limits), options));
    };
  });
}
