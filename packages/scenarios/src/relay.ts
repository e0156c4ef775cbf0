import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { pipeline } from 'node:stream';

/** Passes TCP connections on to a server, counting what comes back from it. */
export class Relay implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Bytes that were handed to clients, or to the kernel for them. */
  received = 0;

  private constructor(port: number) {
    this.#server = createServer((client) => {
      const onward = connect({ host: '127.0.0.1', port });
      for (const socket of [client, onward]) {
        this.#sockets.add(socket);
        socket.on('close', () => this.#sockets.delete(socket));
      }
      onward.on('data', (bytes: Buffer) => {
        this.received += bytes.length;
      });
      const ignore = (): void => undefined;
      pipeline(client, onward, ignore);
      pipeline(onward, client, ignore);
    });
  }

  static async start(url: string): Promise<Relay> {
    const relay = new Relay(Number(new URL(url).port));
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get url(): string {
    const address: string | AddressInfo | null = this.#server.address();
    return typeof address === 'object' && address !== null ? `ws://127.0.0.1:${address.port}` : '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) {
      socket.destroy();
    }
  }
}
