/**
 * A network between two programs that can be cut: `cut` breaks every connection, `refuse` also keeps new ones out, and
 * `pause` lets nothing through without anybody being told, as a firewall or a stopped machine does.
 */
import { createConnection, createServer, type Socket } from 'node:net';

export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  cut(): void;
  /** Cuts, and accepts nothing until `resume`. */
  refuse(): void;
  /** Holds back all bytes, both ways, until `resume`. */
  pause(): void;
  resume(): void;
}

type Traffic = 'open' | 'paused' | 'refused';

export async function startProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let traffic: Traffic = 'open';
  const cut = () => {
    for (const socket of sockets) {
      socket.destroy();
    }
  };
  const server = createServer((client) => {
    if (traffic === 'refused') {
      client.destroy();
      return;
    }
    const upstream = createConnection(target, '127.0.0.1');
    join(client, upstream, sockets);
    join(upstream, client, sockets);
    if (traffic === 'paused') {
      client.pause();
      upstream.pause();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    cut,
    refuse() {
      traffic = 'refused';
      cut();
    },
    pause() {
      traffic = 'paused';
      for (const socket of sockets) {
        socket.pause();
      }
    },
    resume() {
      traffic = 'open';
      for (const socket of sockets) {
        socket.resume();
      }
    },
    async [Symbol.asyncDispose]() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What `from` sends goes to `to`; where one ends, so does the other. */
function join(from: Socket, to: Socket, sockets: Set<Socket>): void {
  sockets.add(from);
  from.on('data', (data) => to.write(data));
  from.on('error', () => to.destroy());
  from.on('close', () => {
    sockets.delete(from);
    to.destroy();
  });
}
