/**
 * One logged-in place at a server that outlives its connections. A lost connection is opened again with growing pauses, and
 * the login repeated (by token where the server gives one). Requests made meanwhile wait. What was in flight when a
 * connection died is repeated where it changes nothing (SELECT, LIST, READ) and otherwise rejected with `unreachable`,
 * since it may have had its effect.
 *
 * Lifecycle: `open` → (`connecting` → `open`)* → `ended`. It ends by `close`, by refused credentials, by a close code that
 * says not to come back, or when the attempts run out; then everything that waits is rejected with the reason.
 */
import { DEFAULT_PEER_LIMITS, mayReconnect, type Peer, type PeerHandler, type PeerResponse } from '@fosp/connection';
import { type FospError, fospError, isFospError, type NotificationHead, type RequestType } from '@fosp/protocol';
import { openConnection } from '#dial';
import { errorOf, jsonBody } from './answers.ts';
import {
  type ClientOptions,
  type Credentials,
  DEFAULT_RECONNECT,
  DEFAULT_REQUEST_TIMEOUT_MS,
  type ReconnectOptions,
  type ServerInfo,
} from './options.ts';

const EXTENSIONS = ['etag', 'resume', 'password', 'page'];

export interface SessionEvents {
  notification(head: NotificationHead, body: Uint8Array): void;
  /** The connection was lost and is back: notifications may have been missed. */
  gap(): void;
  ended(reason: Error | undefined): void;
}

interface Opened {
  readonly peer: Peer;
  readonly server: ServerInfo;
}

export class Session {
  readonly #options: ClientOptions;
  readonly #events: SessionEvents;
  readonly #reconnect: ReconnectOptions | undefined;
  #credentials: Credentials | undefined;
  #current: Promise<Opened>;
  #now: Opened | undefined;
  #server: ServerInfo | undefined;
  #user: string | undefined;
  #token: string | undefined;
  #ended: { readonly reason: Error | undefined } | undefined;
  /** Wakes the pause between attempts. */
  #wake: (() => void) | undefined;

  constructor(options: ClientOptions, events: SessionEvents) {
    this.#options = options;
    this.#events = events;
    this.#reconnect = options.reconnect === false ? undefined : (options.reconnect ?? DEFAULT_RECONNECT);
    this.#credentials = options.credentials;
    options.signal?.addEventListener('abort', () => this.close(), { once: true });
    this.#current = this.#open();
    this.#current.catch((error: unknown) => this.#end(error instanceof Error ? error : undefined));
  }

  get user(): string | undefined {
    return this.#user;
  }

  get token(): string | undefined {
    return this.#token;
  }

  /** Of the newest connection. */
  get server(): ServerInfo {
    if (this.#server === undefined) {
      throw fospError('not-connected', 'no connection was made yet');
    }
    return this.#server;
  }

  /** The connection, where one is open at this moment. */
  get now(): Opened | undefined {
    return this.#now;
  }

  /** The open connection, once there is one; rejects with `timeout` where there is none within `waitMs`. */
  async opened(waitMs: number): Promise<Opened> {
    if (this.#ended !== undefined) {
      throw this.#ended.reason ?? fospError('unreachable', 'the client is closed');
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = fospError('timeout', `no connection to ${this.#options.url} within ${waitMs} ms`);
      timer = setTimeout(reject, waitMs, error);
    });
    try {
      return await Promise.race([this.#current, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Logs in on the open connection; later connections log in alike. */
  async authenticate(credentials: Credentials): Promise<string> {
    const { peer } = await this.opened(this.#options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS);
    const user = await this.#login(peer, credentials);
    this.#credentials = credentials;
    return user;
  }

  close(): void {
    this.#end(undefined);
  }

  async #open(): Promise<Opened> {
    const handler = this.#handler();
    const peer = await openConnection(this.#options.url, handler, DEFAULT_PEER_LIMITS);
    try {
      const server = await this.#greet(peer);
      if (this.#credentials !== undefined) {
        await this.#relogin(peer, this.#credentials);
      }
      if (!peer.isOpen) {
        throw fospError('unreachable', `${this.#options.url} closed the connection during login`);
      }
      if (this.#ended !== undefined) {
        throw fospError('unreachable', 'the client was closed');
      }
      handler.use(peer);
      this.#server = server;
      this.#now = { peer, server };
      return this.#now;
    } catch (error) {
      peer.close(1000, '');
      throw error;
    }
  }

  async #greet(peer: Peer): Promise<ServerInfo> {
    const { domain } = this.#options;
    const body = { version: '0.1', extensions: EXTENSIONS, ...(domain === undefined ? {} : { domain }) };
    return jsonBody<ServerInfo>(await ask(peer, 'CONNECT', body));
  }

  /** By token where there is one; by password where the token is no longer good. */
  async #relogin(peer: Peer, credentials: Credentials): Promise<void> {
    if (this.#token !== undefined) {
      try {
        await this.#login(peer, { token: this.#token });
        return;
      } catch (error) {
        if (!isFospError(error) || error.status !== 401 || !('password' in credentials)) {
          throw error;
        }
      }
    }
    await this.#login(peer, credentials);
  }

  async #login(peer: Peer, credentials: Credentials): Promise<string> {
    const body =
      'password' in credentials
        ? { name: credentials.user, password: credentials.password }
        : { token: credentials.token };
    const answer = jsonBody<{ user: string; token?: string }>(await ask(peer, 'AUTHENTICATE', body));
    this.#user = answer.user;
    this.#token = answer.token ?? ('token' in credentials ? credentials.token : undefined);
    return answer.user;
  }

  /** A handler that speaks for its peer once the session uses it, and only as long as it does. */
  #handler(): PeerHandler & { use(peer: Peer): void } {
    let peer: Peer | undefined;
    return {
      use: (opened) => {
        peer = opened;
      },
      plan: () => ({ kind: 'buffer', limit: DEFAULT_PEER_LIMITS.responseBytes }),
      request: (message) =>
        peer?.respond(message.head.sequence, 405, { body: '{"message":"a client takes no requests"}' }),
      notification: (message) => this.#events.notification(message.head, message.body),
      malformed: () => peer?.close(1002, 'unreadable message'),
      tooLarge: () => undefined,
      closed: (code, reason) => {
        if (peer !== undefined) {
          this.#lost(code, reason);
        }
      },
    };
  }

  #lost(code: number, reason: string): void {
    this.#now = undefined;
    if (this.#ended !== undefined) {
      return;
    }
    const why = fospError('unreachable', `the connection was closed with ${code}${reason === '' ? '' : `: ${reason}`}`);
    if (this.#reconnect === undefined || !mayReconnect(code)) {
      this.#end(why);
      return;
    }
    this.#current = this.#reopen(this.#reconnect);
    this.#current.then(
      () => this.#events.gap(),
      (error: unknown) => this.#end(error instanceof Error ? error : why),
    );
  }

  async #reopen(reconnect: ReconnectOptions): Promise<Opened> {
    let last: unknown;
    for (let attempt = 0; attempt < reconnect.attempts; attempt++) {
      await this.#pause(Math.min(reconnect.capMs, reconnect.baseMs * 2 ** attempt) * (0.5 + Math.random() / 2));
      if (this.#ended !== undefined) {
        throw this.#ended.reason ?? fospError('unreachable', 'the client was closed');
      }
      try {
        return await this.#open();
      } catch (error) {
        if (isFospError(error) && isFinal(error)) {
          throw error;
        }
        last = error;
      }
    }
    throw last;
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #end(reason: Error | undefined): void {
    if (this.#ended !== undefined) {
      return;
    }
    this.#ended = { reason };
    this.#now = undefined;
    this.#wake?.();
    this.#current.then(({ peer }) => peer.close(1000, 'done')).catch(() => undefined);
    this.#events.ended(reason);
  }
}

/** Trying again would be answered alike. */
function isFinal(error: FospError): boolean {
  return [400, 401, 403, 421, 505].includes(error.status);
}

async function ask(peer: Peer, type: RequestType, body: unknown): Promise<PeerResponse> {
  const response = await peer.request(type, undefined, { body: JSON.stringify(body) });
  if (response.head.type === 'FAILED') {
    throw errorOf(response);
  }
  return response;
}
