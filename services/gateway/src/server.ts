/**
 * The public ports: the WebSocket upgrade, on any path, and a small HTTP side door (PROTOCOL §1, DESIGN "services/gateway").
 *
 * fastify answers HTTP and knows nothing of upgraded sockets: those belong to the sessions, and are closed by them.
 * Lifecycle: `listen`; `refuse` from when nobody new is to be taken; `close` once the sessions are gone.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import type { Duplex } from 'node:stream';
import { acceptUpgrade } from '@fosp/connection';
import { listenError } from '@fosp/runtime';
import { type FastifyInstance, fastify } from 'fastify';
import type { GatewayConfig } from './config.ts';
import { VERSIONS } from './connect.ts';

export interface ServerOptions {
  readonly config: GatewayConfig;
  /** A WebSocket after its handshake; `head` came behind it. */
  readonly opened: (socket: Duplex, head: Uint8Array, address: string) => void;
  /** Whether one more connection may be opened. */
  readonly hasRoom: () => boolean;
  readonly turnedAway: (reason: string) => void;
}

export interface ListeningPorts {
  readonly host: string;
  readonly wsPort: number;
  /** Absent without a certificate. */
  readonly wssPort?: number;
}

/** For HTTP requests: whole head and body within this, or the connection ends. */
const HTTP_SECONDS = 10;

const UNAVAILABLE =
  'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

export class PublicServer {
  readonly #options: ServerOptions;
  readonly #servers: FastifyInstance[] = [];
  #ports: ListeningPorts | undefined;
  #refuses = false;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  /** Rejects with `StartError` where a port cannot be had. */
  async listen(): Promise<ListeningPorts> {
    const { host, wsPort, wssPort, tls } = this.#options.config;
    const plain = await this.#open(wsPort, 'FOSP_WS_PORT', undefined);
    this.#ports = { host, wsPort: plain };
    if (tls !== undefined) {
      this.#ports = { host, wsPort: plain, wssPort: await this.#open(wssPort, 'FOSP_WSS_PORT', tls) };
    }
    return this.#ports;
  }

  /** New connections are turned away from now on; present ones stay. */
  refuse(): void {
    this.#refuses = true;
  }

  async close(): Promise<void> {
    this.#refuses = true;
    await Promise.all(this.#servers.map((server) => server.close()));
  }

  async #open(port: number, variable: string, tls: GatewayConfig['tls']): Promise<number> {
    const server = fastify({
      logger: false,
      forceCloseConnections: true,
      requestTimeout: HTTP_SECONDS * 1000,
      serverFactory: (handler) => (tls === undefined ? http.createServer(handler) : https.createServer(tls, handler)),
    });
    this.#servers.push(server);
    this.#addRoutes(server);
    server.server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    const { host } = this.#options.config;
    try {
      await server.listen({ host, port });
    } catch (error) {
      throw listenError(error, { host, hostVariable: 'FOSP_HOST', port, variable });
    }
    const address = server.server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  #addRoutes(server: FastifyInstance): void {
    const { domains } = this.#options.config;
    server.get('/', (_, reply) => {
      reply
        .type('text/plain; charset=utf-8')
        .send(`This is a FOSP server for ${domains.join(', ')}. Connect by WebSocket.\n`);
    });
    server.get('/.well-known/fosp', (_, reply) => {
      reply.send({ versions: VERSIONS, domains, ...this.#ports });
    });
  }

  #upgrade(request: http.IncomingMessage, socket: Duplex, head: Buffer): void {
    const reason = this.#refuses ? 'draining' : this.#options.hasRoom() ? undefined : 'full';
    if (reason !== undefined) {
      this.#options.turnedAway(reason);
      socket.on('error', () => socket.destroy());
      socket.end(UNAVAILABLE, () => socket.destroy());
      return;
    }
    const address = clientAddress(request);
    if (acceptUpgrade(request, socket)) {
      this.#options.opened(socket, head, address);
    } else {
      this.#options.turnedAway('handshake');
    }
  }
}

/** The socket's, in one spelling: an IPv4 address that came by an IPv6 socket is written as IPv4. */
function clientAddress({ socket }: http.IncomingMessage): string {
  const address = socket.remoteAddress ?? '';
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
