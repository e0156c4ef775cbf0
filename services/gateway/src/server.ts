/**
 * The public ports: the WebSocket upgrade, on any path, and a small HTTP side door (PROTOCOL §1, DESIGN "services/gateway").
 *
 * fastify answers HTTP and knows nothing of upgraded sockets: those belong to the sessions, and are closed by them.
 * Lifecycle: `listen`; `refuse` from when nobody new is to be taken; `close` once the sessions are gone.
 */

import type { X509Certificate } from 'node:crypto';
import * as http from 'node:http';
import * as https from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { getCACertificates, TLSSocket } from 'node:tls';
import { acceptUpgrade } from '@fosp/connection';
import { type Certificate, listenError } from '@fosp/runtime';
import { type FastifyInstance, fastify } from 'fastify';
import type { Arrivals } from './arrivals.ts';
import { plainAddress } from './client-address.ts';
import type { GatewayConfig } from './config.ts';
import { VERSIONS } from './connect.ts';
import { standBefore } from './front.ts';
import { ProxyGate, type ProxyRefusal } from './proxy-gate.ts';

export interface ServerOptions {
  readonly config: GatewayConfig;
  readonly arrivals: Arrivals;
  readonly opened: (opened: OpenedSocket) => void;
  /** Whether one more connection may be opened. */
  readonly hasRoom: () => boolean;
  /** Whether one more connection of a load balancer may wait to say whose it is, beside so many that do. */
  readonly mayWait: (waiting: number) => boolean;
  readonly turnedAway: (reason: string) => void;
  /** A connection of a load balancer that did not say whose it is. */
  readonly proxyRefused: (refusal: ProxyRefusal) => void;
}

/** A WebSocket after its handshake. */
export interface OpenedSocket {
  readonly socket: Duplex;
  /** What came behind the handshake. */
  readonly head: Uint8Array;
  readonly address: string;
  /** That the other end showed in its TLS handshake, and that an authority vouches for. */
  readonly certificate: X509Certificate | undefined;
}

export interface ListeningPorts {
  readonly host: string;
  readonly wsPort: number;
  /** Absent without a certificate. */
  readonly wssPort?: number;
}

/** How often, at least, the time of HTTP requests is looked at. */
const HTTP_CHECK_MS = 1000;

const UNAVAILABLE =
  'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

export class PublicServer {
  readonly #options: ServerOptions;
  readonly #servers: FastifyInstance[] = [];
  /** Of the wss port, whatever they run: a TLS handshake is nothing that its server closes. */
  readonly #underTls = new Set<Socket>();
  /** Absent where no load balancer is believed. */
  readonly #gate: ProxyGate | undefined;
  /** Of the wss port. */
  #secure: https.Server | undefined;
  #ports: ListeningPorts | undefined;
  #refuses = false;
  #closed = false;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#gate = gateOf(options);
  }

  /** Connections of load balancers that have not said whose they are yet. */
  get waiting(): number {
    return this.#gate?.waiting ?? 0;
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

  /** TLS handshakes show this certificate from now on; present connections stay. */
  renew({ cert, key }: Certificate): void {
    this.#secure?.setSecureContext({ cert, key, ...this.#authorities() });
  }

  /** New connections are turned away from now on; present ones stay. */
  refuse(): void {
    this.#refuses = true;
  }

  async close(): Promise<void> {
    this.#refuses = true;
    this.#closed = true;
    this.#gate?.close();
    this.#options.arrivals.close();
    const closed = this.#servers.map((server) => server.close());
    for (const socket of this.#underTls) {
      socket.destroy();
    }
    await Promise.all(closed);
  }

  async #open(port: number, variable: string, tls: GatewayConfig['tls']): Promise<number> {
    const server = fastify({
      logger: false,
      forceCloseConnections: true,
      serverFactory: (handler) => this.#createServer(handler, tls),
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

  /** fastify leaves timeouts to whoever makes the server. */
  #createServer(handler: http.RequestListener, tls: GatewayConfig['tls']): http.Server {
    const withinMs = this.#options.config.limits.httpSeconds * 1000;
    const times = {
      requestTimeout: withinMs,
      headersTimeout: withinMs,
      connectionsCheckingInterval: Math.min(withinMs, HTTP_CHECK_MS),
    };
    if (tls === undefined) {
      const server = http.createServer(times, handler);
      this.#guard(server);
      return server;
    }
    const { cert, key } = tls;
    const secured = { cert, key, ...this.#clientCertificates(), handshakeTimeout: withinMs };
    this.#secure = https.createServer({ ...times, ...secured }, handler);
    const server: http.Server = this.#secure;
    this.#guard(server);
    server.on('connection', (socket) => this.#watch(socket));
    return server;
  }

  /** Whose it is comes first: who waits for their turn waits in the line of their address. */
  #guard(server: http.Server): void {
    const arrivals = this.#options.arrivals.gate(server === this.#secure, (socket) => this.#clientAddress(socket));
    standBefore(server, this.#gate === undefined ? [arrivals] : [this.#gate, arrivals]);
  }

  /** Who shows none, or one that is not believed, is let in all the same: it proves nothing then. */
  #clientCertificates(): https.ServerOptions {
    return this.#options.config.clientCertificates === undefined
      ? {}
      : { requestCert: true, rejectUnauthorized: false, ...this.#authorities() };
  }

  #authorities(): Pick<https.ServerOptions, 'ca'> {
    const authorities = this.#options.config.clientCertificates?.authorities;
    return authorities === undefined ? {} : { ca: [...getCACertificates('default'), authorities] };
  }

  #watch(socket: Socket): void {
    this.#underTls.add(socket);
    socket.once('close', () => this.#underTls.delete(socket));
    if (this.#closed) {
      socket.destroy();
    }
  }

  #addRoutes(server: FastifyInstance): void {
    const { domains } = this.#options.config;
    server.get('/', (_, reply) => {
      reply
        .type('text/plain; charset=utf-8')
        .send(`This is a FOSP server for ${domains.join(', ')}. Connect by WebSocket.\n`);
    });
    server.get('/.well-known/fosp', (_, reply) => {
      const { wsPort, wssPort } = this.#ports ?? {};
      reply.send({ versions: VERSIONS, domains, wsPort, wssPort });
    });
  }

  #upgrade(request: http.IncomingMessage, socket: Duplex, head: Buffer): void {
    const isCrowded = this.#options.arrivals.isRefused(request.socket);
    const reason = this.#refuses ? 'draining' : this.#options.hasRoom() ? undefined : 'full';
    if (isCrowded || reason !== undefined) {
      if (!isCrowded && reason !== undefined) {
        this.#options.turnedAway(reason);
      }
      socket.on('error', () => socket.destroy());
      socket.end(UNAVAILABLE, () => socket.destroy());
      return;
    }
    const address = this.#clientAddress(request.socket);
    if (address === undefined) {
      this.#options.turnedAway('gone');
      socket.destroy();
    } else if (acceptUpgrade(request, socket)) {
      this.#options.opened({ socket, head, address, certificate: certificateOf(socket) });
    } else {
      this.#options.turnedAway('handshake');
    }
  }

  /**
   * The socket's, or what a load balancer's header announced. Nothing that HTTP says of it (`X-Forwarded-For`, `Forwarded`)
   * is believed: anybody may write that.
   */
  #clientAddress(socket: Socket): string | undefined {
    return this.#gate === undefined ? plainAddress(socket.remoteAddress ?? '') : this.#gate.clientOf(socket);
  }
}

function certificateOf(socket: Duplex): X509Certificate | undefined {
  return socket instanceof TLSSocket && socket.authorized ? socket.getPeerX509Certificate() : undefined;
}

function gateOf({ config, mayWait, turnedAway, proxyRefused }: ServerOptions): ProxyGate | undefined {
  const { proxies, limits } = config;
  const headerSeconds = limits.proxyHeaderSeconds;
  return proxies && new ProxyGate({ proxies, headerSeconds, mayWait, turnedAway, refused: proxyRefused });
}
