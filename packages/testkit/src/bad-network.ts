/**
 * A network between a client and a server as bad as a test wants it: bytes come late, connections are cut, nobody answers.
 * What TCP promises still holds: within a connection bytes stay in order and whole, up to where it is cut.
 */
import { connect, createServer, type Socket } from 'node:net';

export interface BadNetworkOptions {
  readonly port: number;
  readonly host?: string;
  /** Milliseconds by which a piece of bytes is late, drawn anew for each, either way; none by default. */
  readonly lag?: () => number;
}

export interface BadNetwork extends AsyncDisposable {
  /** Where clients connect, on 127.0.0.1. */
  readonly port: number;
  /** Connections made through it so far. */
  readonly connections: number;
  /** Bytes that went from the server to clients so far. */
  readonly bytesToClients: number;
  /** Cuts every connection; new ones may come. */
  cut(): void;
  /** From now on bytes are held, both ways, and new connections too. */
  hold(): void;
  /** Lets go what was held. */
  release(): void;
  /** From now on connections are cut, and new ones refused, until `allow`. */
  refuse(): void;
  allow(): void;
}

export async function startBadNetwork(options: BadNetworkOptions): Promise<BadNetwork> {
  const proxy = new LoopbackNetwork(options);
  await proxy.listen();
  return proxy;
}

class LoopbackNetwork implements BadNetwork {
  readonly #options: BadNetworkOptions;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((socket) => this.#take(socket));
  #held: PromiseWithResolvers<void> | undefined;
  #refuses = false;
  port = 0;
  connections = 0;
  bytesToClients = 0;

  constructor(options: BadNetworkOptions) {
    this.#options = options;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    this.port = address !== null && typeof address === 'object' ? address.port : 0;
  }

  cut(): void {
    for (const socket of this.#sockets) {
      socket.resetAndDestroy();
    }
  }

  hold(): void {
    this.#held ??= Promise.withResolvers();
  }

  release(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }

  refuse(): void {
    this.#refuses = true;
    this.cut();
  }

  allow(): void {
    this.#refuses = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.refuse();
    this.release();
    await new Promise<unknown>((resolve) => this.#server.close(resolve));
  }

  #take(client: Socket): void {
    if (this.#refuses) {
      client.resetAndDestroy();
      return;
    }
    this.connections++;
    const server = connect(this.#options.port, this.#options.host ?? '127.0.0.1');
    server.on('data', (data) => {
      this.bytesToClients += data.length;
    });
    this.#pass(client, server);
    this.#pass(server, client);
  }

  #pass(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    let passed: Promise<void> = Promise.resolve();
    from.on('data', (data) => {
      passed = passed.then(() => this.#late()).then(() => void to.write(data));
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#sockets.delete(from);
      passed.then(() => to.destroy());
    });
  }

  async #late(): Promise<void> {
    const lag = this.#options.lag?.() ?? 0;
    if (lag > 0) {
      await new Promise<void>((resolve) => setTimeout(resolve, lag));
    }
    await this.#held?.promise;
  }
}
