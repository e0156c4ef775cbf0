/** Who logs in. A token comes from an earlier login (`client.token`) and spares the password. */
export type Credentials =
  | { readonly user: string; readonly password: string }
  | { readonly token: string; readonly user?: string };

/** Pauses between attempts to connect again: `base * 2^n` milliseconds, at most `cap`, each multiplied by 0.5 … 1 at random. */
export interface ReconnectOptions {
  readonly baseMs: number;
  readonly capMs: number;
  /** Attempts in a row before the client gives up. */
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
  /** How long a request waits for its answer, reconnecting included. Default 30,000. */
  readonly requestTimeoutMs?: number;
  /** Notifications that wait to be taken; at one more, all are dropped and the reader gets a `gap`. Default 10,000. */
  readonly notificationQueue?: number;
  readonly signal?: AbortSignal;
}

export const DEFAULT_RECONNECT: ReconnectOptions = { baseMs: 200, capMs: 15_000, attempts: 40 };
export const DEFAULT_REQUEST_TIMEOUT_MS = 30_000;
export const DEFAULT_NOTIFICATION_QUEUE = 10_000;

/** What a server says of itself in the answer to CONNECT (PROTOCOL §3). */
export interface ServerInfo {
  readonly version: string;
  readonly domain: string;
  readonly extensions: readonly string[];
  readonly mechanisms: readonly string[];
  readonly registration: boolean;
  /** Bytes, and requests in flight. */
  readonly limits: {
    readonly object: number;
    readonly acl: number;
    readonly attachment: number;
    readonly message: number;
    readonly requests: number;
  };
}
