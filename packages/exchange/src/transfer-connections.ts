/**
 * Connections to the file store: kept for a while after a transfer, for the next one. What keeps the other end open may
 * close it at the very moment it is used again; such a request has failed without being looked at, and is sent once more
 * over a connection of its own, where all of it is still at hand. So connections are not kept for long either.
 */
import * as http from 'node:http';
import * as https from 'node:https';

export interface ConnectionsOptions {
  /** Without progress of the store, after which a transfer fails. */
  readonly stallSeconds: number;
  /** For a connection to be made. */
  readonly connectSeconds: number;
  /** Idle connections kept for the next transfer, and for how long. */
  readonly idleConnections: number;
  readonly idleSeconds: number;
}

export interface TransferRequest {
  readonly method: 'GET' | 'PUT';
  readonly url: string;
  readonly headers: http.OutgoingHttpHeaders;
  /** `own`: a connection that was never used, and will not be again. */
  readonly connection: 'kept' | 'own';
}

interface Agents {
  readonly plain: http.Agent;
  readonly secure: https.Agent;
}

/** What Node says where the other end closed a connection. */
const CLOSED: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE']);

export class TransferConnections {
  readonly #options: ConnectionsOptions;
  readonly #kept: Agents;
  readonly #own: Agents;

  constructor(options: ConnectionsOptions) {
    const { idleConnections: maxFreeSockets, idleSeconds } = options;
    const agent = { keepAlive: true, maxFreeSockets, timeout: idleSeconds * 1000, scheduling: 'lifo' } as const;
    this.#options = options;
    this.#kept = { plain: new http.Agent(agent), secure: new https.Agent(agent) };
    // The store is told to keep these too, though nobody will use them again: where it is to close them after its answer, it
    // closes them on what is still being sent, and an early refusal is lost.
    this.#own = { plain: new http.Agent({ keepAlive: true }), secure: new https.Agent({ keepAlive: true }) };
    this.#own.plain.maxFreeSockets = 0;
    this.#own.secure.maxFreeSockets = 0;
  }

  /** Begins a request. It fails where no connection comes about, or where nothing happens while it is the store's turn. */
  open({ method, url, headers, connection }: TransferRequest, isStoresTurn: () => boolean): http.ClientRequest {
    const { stallSeconds } = this.#options;
    const { plain, secure } = connection === 'kept' ? this.#kept : this.#own;
    const options = { method, headers, timeout: stallSeconds * 1000 };
    const isSecure = url.startsWith('https:');
    const request = isSecure
      ? https.request(url, { ...options, agent: secure })
      : http.request(url, { ...options, agent: plain });
    this.#failUnconnected(request, isSecure ? 'secureConnect' : 'connect');
    failWhenStalled(request, stallSeconds, isStoresTurn);
    return request;
  }

  /** Closes the connections that are kept. */
  close(): void {
    for (const { plain, secure } of [this.#kept, this.#own]) {
      plain.destroy();
      secure.destroy();
    }
  }

  #failUnconnected(request: http.ClientRequest, connected: 'connect' | 'secureConnect'): void {
    const { connectSeconds } = this.#options;
    const timer = setTimeout(() => {
      request.destroy(new Error(`the file store cannot be reached: no connection after ${connectSeconds} s`));
    }, connectSeconds * 1000);
    const stop = () => clearTimeout(timer);
    request.on('close', stop);
    request.on('socket', (socket) => {
      if (request.reusedSocket) {
        stop();
      } else {
        socket.once(connected, stop);
      }
    });
  }
}

/** Whether a request failed for nothing but that its connection had been closed before it came. */
export function wasClosedBefore(request: http.ClientRequest, error: unknown): boolean {
  return request.reusedSocket && error instanceof Error && 'code' in error && CLOSED.has(error.code);
}

/** Silence while the client is what we wait for is none of the store's doing. */
function failWhenStalled(request: http.ClientRequest, seconds: number, isStoresTurn: () => boolean): void {
  request.on('timeout', () => {
    if (isStoresTurn()) {
      request.destroy(new Error(`the file store did nothing for ${seconds} s`));
    } else {
      request.setTimeout(seconds * 1000);
    }
  });
}
