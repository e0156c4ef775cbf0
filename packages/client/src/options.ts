/**
 * Who logs in. A token comes from an earlier login (`client.token`) and spares the password; where both are given, the
 * password serves once the token is no longer good.
 */
export type Credentials =
  | { readonly user: string; readonly password: string; readonly token?: string }
  | { readonly token: string };

/** Pauses between attempts to connect again: `base * 2^n` milliseconds, at most `cap`, each multiplied by 0.5 … 1 at random. */
export interface ReconnectOptions {
  readonly baseMs: number;
  readonly capMs: number;
  /** Attempts before the client gives up; counted anew once a connection has lasted `capMs`. */
  readonly attempts: number;
}

export interface ClientOptions {
  /** `ws://host:1337` or `wss://host:1338`; the path does not matter. */
  readonly url: string;
  /** Absent: not logged in, for `register` and `authenticate`. */
  readonly credentials?: Credentials;
  /** The domain meant, where the servers at this address serve several. */
  readonly domain?: string;
  /** `false`: the client ends with its first connection. */
  readonly reconnect?: ReconnectOptions | false;
  /**
   * How long a request waits for its answer, reconnecting included; for an upload, counted anew once its body is sent.
   * Default 30,000.
   */
  readonly requestTimeoutMs?: number;
  /** Requests that wait for a connection; one more is rejected with `too-many`. Default 1,024. */
  readonly waitingRequests?: number;
  /** Bounds of the notifications that wait to be taken; over either, all are dropped and the reader gets a `gap`. */
  readonly notificationQueue?: NotificationQueueLimits;
  /** Ends the client: what waits is rejected with the signal's reason, and iterators throw it. */
  readonly signal?: AbortSignal;
}

export interface NotificationQueueLimits {
  readonly events: number;
  /** Of their objects' text, in UTF-16 units. */
  readonly characters: number;
}

export const DEFAULT_RECONNECT: ReconnectOptions = { baseMs: 200, capMs: 15_000, attempts: 40 };
export const DEFAULT_REQUEST_TIMEOUT_MS = 30_000;
export const DEFAULT_WAITING_REQUESTS = 1024;
export const DEFAULT_NOTIFICATION_QUEUE: NotificationQueueLimits = { events: 10_000, characters: 32 * 1024 * 1024 };
