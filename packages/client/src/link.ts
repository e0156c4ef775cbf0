/** One connection of a session: opened, introduced and logged in, or not at all. */
import { closedError, DEFAULT_PEER_LIMITS, mayReconnect, type Peer, type PeerHandler } from '@fosp/connection';
import { type FospError, fospError, isFospError, type NotificationHead } from '@fosp/protocol';
import { openConnection } from '#dial';
import { greet, type Login, logIn } from './login.ts';
import type { Credentials } from './options.ts';
import type { ServerInfo } from './server-info.ts';

/** WebSocket close codes (RFC 6455 §7.4). */
const DONE = 1000;
const POLICY = 1008;

export interface LinkOptions {
  readonly url: string;
  readonly domain: string | undefined;
  readonly credentials: Credentials | undefined;
  /** For each request of the opening. */
  readonly timeoutMs: number;
  /** Gives up opening. */
  readonly signal: AbortSignal;
  notification(head: NotificationHead, body: Uint8Array): void;
  /** A message came that cannot be read, or is too large to be a notification. */
  unreadable(): void;
}

export interface Link {
  readonly peer: Peer;
  readonly server: ServerInfo;
  readonly login: Login | undefined;
  readonly lost: Promise<Loss>;
}

/** How a connection ended. */
export interface Loss {
  readonly error: FospError;
  /** There is no point in coming back. */
  readonly isFinal: boolean;
}

/** Rejects with why it could not be reached or logged in, or with the reason of the signal. */
export async function openLink(options: LinkOptions): Promise<Link> {
  const { url, domain, credentials, timeoutMs, signal } = options;
  const { promise: lost, resolve } = Promise.withResolvers<Loss>();
  const peer: Peer = await openConnection(url, { signal, handler: handlerOf(options, () => peer, resolve) });
  const leave = (): void => peer.close(DONE, '');
  signal.addEventListener('abort', leave);
  try {
    const server = await greet(peer, { domain, timeoutMs });
    peer.setMessageLimit(Math.max(server.limits.message, DEFAULT_PEER_LIMITS.messageBytes));
    const login = credentials === undefined ? undefined : await logIn(peer, credentials, timeoutMs);
    signal.throwIfAborted();
    return { peer, server, login, lost };
  } catch (error) {
    if (!peer.isOpen && isFospError(error) && error.code === 'unreachable') {
      throw (await lost).error;
    }
    leave();
    throw error;
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

function handlerOf(options: LinkOptions, peer: () => Peer, lost: (loss: Loss) => void): PeerHandler {
  return {
    plan: () => ({ kind: 'buffer', limit: DEFAULT_PEER_LIMITS.responseBytes }),
    request: ({ head }) => peer().respond(head.sequence, 405, { body: '{"message":"A client takes no requests."}' }),
    notification: ({ head, body }) => options.notification(head, body),
    malformed: () => options.unreadable(),
    tooLarge: () => undefined,
    closed: (code, reason) => lost(lossOf(code, reason)),
  };
}

/** What the close code of a connection says: a login that was withdrawn or is overdue (1008) reads as such. */
function lossOf(code: number, reason: string): Loss {
  const error = closedError(code, reason);
  return {
    error: code === POLICY ? fospError('unauthenticated', error.message, { cause: error.cause }) : error,
    isFinal: !mayReconnect(code),
  };
}
