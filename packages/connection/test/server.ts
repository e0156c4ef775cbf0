import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import {
  acceptUpgrade,
  DEFAULT_PEER_LIMITS,
  openPeer,
  type PeerEnvironment,
  type PeerLimits,
  TimerWheel,
  TransferBudget,
} from '../src/index.ts';
import { Conditions } from './conditions.ts';
import { RecordingHandler } from './recording-handler.ts';

export const MIB = 1024 * 1024;

export interface TestServer {
  readonly url: string;
  readonly port: number;
  /** One for each connection, in the order in which they were accepted. */
  readonly handlers: RecordingHandler[];
  readonly environment: PeerEnvironment;
  /** Opens a `ws` client: the independent counterpart. */
  connect(): Promise<TestClient>;
}

export interface TestServerOptions {
  readonly limits?: Partial<PeerLimits>;
  readonly timers?: TimerWheel;
  readonly budgetBytes?: number;
  /** Says how connections behave. */
  prepare?(handler: RecordingHandler): void;
}

/** A real server of our peers, closed with everything that hangs on it when the test ends. */
export async function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  const handlers: RecordingHandler[] = [];
  const limits = { ...DEFAULT_PEER_LIMITS, ...options.limits };
  const budget = new TransferBudget(options.budgetBytes ?? 64 * MIB);
  const environment = { budget, timers: options.timers ?? new TimerWheel() };
  const server = createServer();
  server.on('upgrade', (request, socket, head) => {
    if (acceptUpgrade(request, socket)) {
      const handler = new RecordingHandler();
      options.prepare?.(handler);
      handler.peer = openPeer(socket, head, { role: 'server', handler, environment, limits });
      handlers.push(handler);
      onTestFinished(() => void socket.destroy());
    }
  });
  const port = await listen(server);
  const url = `ws://localhost:${port}`;
  return { url, port, handlers, environment, connect: () => connectClient(url) };
}

/** Starts a server on any free port, until the test ends. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, 'localhost');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return portOf(server.address());
}

export function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') {
    throw new Error('not listening on a port');
  }
  return address.port;
}

/** A `ws` client that notes what it gets. */
export class TestClient {
  readonly socket: WebSocket;
  readonly messages: { readonly text: string; readonly bytes: Buffer; readonly binary: boolean }[] = [];
  readonly closes: { readonly code: number; readonly reason: string }[] = [];
  pings = 0;
  readonly #conditions = new Conditions();

  constructor(url: string, protocols?: string[]) {
    this.socket = new WebSocket(url, protocols, { perMessageDeflate: false, maxPayload: 0, skipUTF8Validation: true });
    this.socket.binaryType = 'nodebuffer';
    this.socket.on('message', (data: Buffer, binary: boolean) => {
      this.messages.push({ text: binary ? '' : data.toString(), bytes: data, binary });
      this.#conditions.noted();
    });
    this.socket.on('ping', () => {
      this.pings++;
      this.#conditions.noted();
    });
    this.socket.on('close', (code, reason) => {
      this.closes.push({ code, reason: reason.toString() });
      this.#conditions.noted();
    });
    this.socket.on('error', () => {});
  }

  send(message: string | Uint8Array): void {
    this.socket.send(message);
  }

  /** Resolves with the texts of all messages so far as soon as there are so many. */
  async texts(count: number): Promise<string[]> {
    await this.until(() => this.messages.length >= count);
    return this.messages.map((message) => message.text);
  }

  async untilClosed(): Promise<void> {
    await this.until(() => this.closes.length > 0);
  }

  until(condition: () => boolean): Promise<void> {
    return this.#conditions.until(condition);
  }
}

export async function connectClient(url: string): Promise<TestClient> {
  const client = new TestClient(`${url}/any/path`, ['fosp']);
  onTestFinished(() => void client.socket.terminate());
  await once(client.socket, 'open');
  return client;
}
