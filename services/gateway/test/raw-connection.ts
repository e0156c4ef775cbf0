/** TCP to a gateway, byte by byte, and what stands between clients and a gateway in a provider's house. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { within } from '@fosp/testkit';
import { onTestFinished } from 'vitest';

export class RawConnection {
  readonly socket: Socket;
  /** All that came so far. */
  received = '';
  /** Resolves once the connection is over. */
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      this.received += data.toString('latin1');
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = within(promise, 'the gateway to close the connection');
    this.closed.catch(() => undefined);
    socket.on('close', () => resolve());
    onTestFinished(() => {
      socket.destroy();
    });
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  write(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Each piece in a segment of its own, as far as the system lets us. */
  async writePieces(pieces: Iterable<Uint8Array>): Promise<void> {
    for (const piece of pieces) {
      await new Promise((resolve) => this.socket.write(piece, resolve));
    }
  }
}

/**
 * A load balancer in front of this port: what a client sends first goes on in one write with the header that the balancer
 * puts before it. Its own port.
 */
export async function startBalancer(target: number, header: () => Uint8Array): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    client.once('data', (first) => {
      upstream.write(Buffer.concat([header(), first]));
      client.pipe(upstream);
    });
    upstream.pipe(client);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) {
      socket.destroy();
    }
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
