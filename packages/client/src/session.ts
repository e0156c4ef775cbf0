/**
 * One logged-in place at a server that outlives its connections. A lost connection is opened again with growing pauses, and
 * the login repeated, by token where the server gives one. Who needs a connection meanwhile waits.
 *
 * Lifecycle: `connecting` → (`open` → `reopening`)* → `ended`. It ends by `close`, by its signal, when the first attempt to
 * connect fails (but for a server that restarts), by refused credentials, by a close code that says not to come back, or when
 * the attempts run out; then everything that waits is rejected with the reason, and nothing of it keeps a process alive.
 */
import { CLOSE_CODES, closeCodeOf, type Peer } from '@fosp/connection';
import { type FospError, fospError, isFospError, type NotificationHead } from '@fosp/protocol';
import { type Link, type Loss, openLink } from './link.ts';
import { type Login, logIn } from './login.ts';
import {
  type ClientOptions,
  type Credentials,
  DEFAULT_RECONNECT,
  DEFAULT_REQUEST_TIMEOUT_MS,
  DEFAULT_WAITING_REQUESTS,
  type ReconnectOptions,
} from './options.ts';
import type { ServerInfo } from './server-info.ts';
import { Waiting } from './waiting.ts';

/** Statuses to which trying again would be answered alike. */
const FINAL_STATUSES: readonly number[] = [400, 401, 403, 421, 505];
/** The WebSocket's close code (RFC 6455 §7.4). */
const DONE = 1000;

export interface SessionEvents {
  notification(head: NotificationHead, body: Uint8Array): void;
  /** Notifications may have been missed. */
  gap(): void;
  ended(reason: Error | undefined): void;
}

export class Session {
  readonly #options: ClientOptions;
  readonly #events: SessionEvents;
  readonly #reconnect: ReconnectOptions | undefined;
  readonly #timeoutMs: number;
  readonly #waiting: Waiting<Peer>;
  /** Aborted at the end: gives up connecting and pauses. */
  readonly #stop = new AbortController();
  #credentials: Credentials | undefined;
  #login: Login | undefined;
  #server: ServerInfo | undefined;
  #peer: Peer | undefined;
  #openedAt = 0;
  /** Attempts to connect again since a connection last held. */
  #attempts = 0;
  #ended: { readonly reason: Error | undefined } | undefined;

  constructor(options: ClientOptions, events: SessionEvents) {
    this.#options = options;
    this.#events = events;
    this.#reconnect = options.reconnect === false ? undefined : (options.reconnect ?? DEFAULT_RECONNECT);
    this.#timeoutMs = options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS;
    this.#waiting = new Waiting(options.waitingRequests ?? DEFAULT_WAITING_REQUESTS);
    this.#credentials = options.credentials;
    const { signal } = options;
    const abort = (): void => this.#end(asError(signal?.reason));
    signal?.addEventListener('abort', abort, { once: true, signal: this.#stop.signal });
    if (signal?.aborted) {
      abort();
    } else {
      this.#begin().catch((error: unknown) => this.#end(asError(error)));
    }
  }

  get user(): string | undefined {
    return this.#login?.user;
  }

  get token(): string | undefined {
    return this.#login?.token;
  }

  get isConnected(): boolean {
    return this.#peer?.isOpen === true;
  }

  /** Of the newest connection. */
  get server(): ServerInfo {
    if (this.#server === undefined) {
      throw fospError('not-connected', 'No connection was made yet.');
    }
    return this.#server;
  }

  /** The open connection, once there is one; rejects with `timeout` where there is none in time, or why there will be none. */
  async opened(waitMs: number = this.#timeoutMs): Promise<Peer> {
    if (this.#ended !== undefined) {
      throw this.#ended.reason ?? closedByUser();
    }
    if (this.#peer?.isOpen === true) {
      return this.#peer;
    }
    const seconds = (waitMs / 1000).toFixed(1);
    return await this.#waiting.wait(waitMs, `No connection to ${this.#options.url} within ${seconds} seconds.`);
  }

  /** Logs in on the open connection; later connections log in alike. */
  async authenticate(credentials: Credentials): Promise<string> {
    const peer = await this.opened();
    this.#login = await logIn(peer, credentials, this.#timeoutMs);
    this.#credentials = credentials;
    return this.#login.user;
  }

  /** The password was changed: tokens and the old one are no longer good. */
  passwordChanged(password: string): void {
    if (this.#login !== undefined) {
      const { user } = this.#login;
      this.#login = { user, token: undefined };
      this.#credentials = { user, password };
    }
  }

  close(): void {
    this.#end(undefined);
  }

  /** The first attempt to connect is the only one, unless the server itself says to try again. */
  async #begin(): Promise<void> {
    try {
      await this.#open(false);
    } catch (error) {
      const isRestarting = closeCodeOf(error) === CLOSE_CODES.restart.code;
      if (!isRestarting || !isFospError(error) || this.#reconnect === undefined) {
        throw error;
      }
      await this.#reopen(this.#reconnect, error);
    }
  }

  async #open(again: boolean): Promise<void> {
    let gapDue = again;
    // A notification may come in one piece with the answer to AUTHENTICATE: the gap is told before it.
    const tellGap = (): void => {
      if (gapDue) {
        gapDue = false;
        this.#events.gap();
      }
    };
    const link = await openLink({
      url: this.#options.url,
      domain: this.#options.domain,
      credentials: this.#credentialsNow(),
      timeoutMs: this.#timeoutMs,
      signal: this.#stop.signal,
      notification: (head, body) => {
        tellGap();
        this.#events.notification(head, body);
      },
      unreadable: () => this.#events.gap(),
    });
    tellGap();
    this.#use(link);
  }

  /** The newest token spares the password. */
  #credentialsNow(): Credentials | undefined {
    const token = this.#login?.token;
    return this.#credentials === undefined || token === undefined ? this.#credentials : { ...this.#credentials, token };
  }

  #use({ peer, server, login, lost }: Link): void {
    if (this.#ended !== undefined) {
      peer.close(DONE, '');
      return;
    }
    this.#peer = peer;
    this.#server = server;
    this.#login = login;
    this.#openedAt = performance.now();
    lost.then((loss) => this.#lost(loss));
    this.#waiting.resolveAll(peer);
  }

  #lost(loss: Loss): void {
    this.#peer = undefined;
    if (this.#ended !== undefined) {
      return;
    }
    if (this.#reconnect === undefined || loss.isFinal) {
      this.#end(loss.error);
      return;
    }
    if (performance.now() - this.#openedAt >= this.#reconnect.capMs) {
      this.#attempts = 0;
    }
    this.#reopen(this.#reconnect, loss.error).catch((error: unknown) => this.#end(asError(error)));
  }

  async #reopen(reconnect: ReconnectOptions, why: FospError): Promise<void> {
    let last: unknown = why;
    while (this.#attempts < reconnect.attempts) {
      const pause = Math.min(reconnect.capMs, reconnect.baseMs * 2 ** this.#attempts);
      await this.#pause(pause * (0.5 + Math.random() / 2));
      this.#attempts++;
      try {
        this.#stop.signal.throwIfAborted();
        await this.#open(true);
        return;
      } catch (error) {
        if (this.#ended !== undefined || isFinal(error)) {
          throw error;
        }
        last = error;
      }
    }
    throw last;
  }

  #pause(milliseconds: number): Promise<void> {
    const { signal } = this.#stop;
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      signal.addEventListener('abort', done);
    });
  }

  #end(reason: Error | undefined): void {
    if (this.#ended !== undefined) {
      return;
    }
    this.#ended = { reason };
    this.#stop.abort(reason ?? closedByUser());
    this.#peer?.close(DONE, 'the client is closed');
    this.#peer = undefined;
    this.#waiting.rejectAll(reason ?? closedByUser());
    this.#events.ended(reason);
  }
}

/** A login that is refused is answered. One that is closed on the way was late, as it is where a machine is busy. */
function isFinal(error: unknown): boolean {
  return isFospError(error) && FINAL_STATUSES.includes(error.status) && closeCodeOf(error) === undefined;
}

function closedByUser(): FospError {
  return fospError('unreachable', 'The client is closed.');
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : fospError('internal', String(reason));
}
