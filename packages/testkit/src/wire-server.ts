/**
 * A WebSocket server that takes and sends FOSP messages as they are on the wire: for tests of what dials. As `WireClient` it
 * shares no code with ours, and parses nothing.
 */
import { createServer as createHttp, type Server } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import { Inbox } from './inbox.ts';
import type { WireClosed, WireFrame } from './wire-client.ts';

export interface WireServerOptions {
  readonly host?: string;
  /** Any free one by default. */
  readonly port?: number;
  /** For `wss`, as PEM. */
  readonly identity?: { readonly cert: string; readonly key: string };
  /** The authority of certificates that clients are asked for, as PEM. */
  readonly clients?: string;
}

/** One that was accepted. */
export class WireConnection {
  readonly frames = new Inbox<WireFrame>('a message to the server');
  readonly closed: Promise<WireClosed>;
  /** What the certificate is for that the client showed, such as `DNS:realworld.lit`; empty where it is not believed. */
  readonly clientNames: readonly string[];
  readonly #socket: WebSocket;

  constructor(socket: WebSocket, clientNames: readonly string[]) {
    this.clientNames = clientNames;
    const closed = Promise.withResolvers<WireClosed>();
    this.#socket = socket;
    this.closed = closed.promise;
    socket.on('message', (data: Buffer, binary: boolean) => this.frames.add({ bytes: data, binary }));
    socket.on('error', () => undefined);
    socket.on('close', (code, reason) => {
      this.frames.fail(new Error(`The connection was closed: ${code} ${reason}`));
      closed.resolve({ code, reason: reason.toString() });
    });
  }

  /** One WebSocket message; text unless said otherwise, whatever the bytes are. */
  send(message: string | Uint8Array, options: { readonly binary?: boolean } = {}): void {
    this.#socket.send(message, { binary: options.binary ?? false });
  }

  /** A fragment of a message that goes on, and perhaps never ends. */
  sendPart(
    fragment: string | Uint8Array,
    options: { readonly binary?: boolean; readonly isLast?: boolean } = {},
  ): void {
    this.#socket.send(fragment, { binary: options.binary ?? false, fin: options.isLast ?? false });
  }

  /** Bytes that wait for the other side to read. */
  get unsent(): number {
    return this.#socket.bufferedAmount;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(code = 1000, reason = ''): void {
    this.#socket.close(code, reason);
  }

  /** Goes away without a word. */
  terminate(): void {
    this.#socket.terminate();
  }
}

export class WireServer implements AsyncDisposable {
  /** Those that nobody took yet. */
  readonly accepted = new Inbox<WireConnection>('a connection to the server');
  /** All that there ever were. */
  readonly connections: WireConnection[] = [];
  readonly port: number;
  readonly #http: Server;
  readonly #server: WebSocketServer;

  private constructor(http: Server) {
    this.#http = http;
    const address = http.address() as AddressInfo;
    this.port = address.port;
    this.#server = new WebSocketServer({
      server: http,
      perMessageDeflate: false,
      maxPayload: 0,
      skipUTF8Validation: true,
    });
    this.#server.on('connection', (socket, { socket: stream }) => {
      const connection = new WireConnection(socket, stream instanceof TLSSocket ? namesOf(stream) : []);
      this.connections.push(connection);
      this.accepted.add(connection);
    });
  }

  static async start({ host = '127.0.0.1', port = 0, identity, clients }: WireServerOptions = {}): Promise<WireServer> {
    const asking = clients === undefined ? {} : { ca: clients, requestCert: true, rejectUnauthorized: false };
    const http: Server = identity === undefined ? createHttp() : createHttps({ ...identity, ...asking });
    const listening = Promise.withResolvers<void>();
    http.once('error', listening.reject);
    http.listen(port, host, listening.resolve);
    await listening.promise;
    return new WireServer(http);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.connections) {
      connection.terminate();
    }
    this.#server.close();
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }
}

function namesOf(stream: TLSSocket): string[] {
  return stream.authorized ? (stream.getPeerCertificate().subjectaltname ?? '').split(', ') : [];
}
