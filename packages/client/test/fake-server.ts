import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { acceptUpgrade, type IncomingRequest, openPeer, type Peer, TimerWheel, TransferBudget } from '@fosp/connection';

const environment = { budget: new TransferBudget(64 * 1024 * 1024), timers: new TimerWheel() };

/** A request as the fake server got it. */
export interface Asked {
  readonly head: IncomingRequest['head'];
  readonly peer: Peer;
  answer(status: number, body?: unknown): void;
}

export interface FakeServer extends AsyncDisposable {
  readonly url: string;
  /** Ends all connections, without a word, and takes no more. */
  stop(): void;
}

/** A server that says what a test wants to hear, over real sockets. Without `act` it answers nothing at all. */
export async function fakeServer(act?: (asked: Asked) => void): Promise<FakeServer> {
  const server = createServer();
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (request, socket, head) => {
    if (act !== undefined && acceptUpgrade(request, socket)) {
      const peer = openPeer(socket, head, { role: 'server', environment, handler: handlerOf(() => peer, act) });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const stop = (): void => {
    server.close();
    for (const socket of sockets) {
      socket.destroy();
    }
  };
  return {
    url: `ws://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    stop,
    [Symbol.asyncDispose]: async () => stop(),
  };
}

function handlerOf(peerOf: () => Peer, act: (asked: Asked) => void) {
  const ignore = (): void => undefined;
  return {
    plan: () => ({ kind: 'buffer', limit: 1024 * 1024 }) as const,
    request({ head }: IncomingRequest): void {
      const peer = peerOf();
      act({
        head,
        peer,
        answer: (status, body) =>
          peer.respond(head.sequence, status, body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    },
    notification: ignore,
    malformed: ignore,
    tooLarge: ignore,
    closed: ignore,
  };
}

/** Answers CONNECT and AUTHENTICATE as a server without extensions does, and leaves the rest to `act`. */
export function welcoming(act: (asked: Asked) => void = () => undefined): (asked: Asked) => void {
  return (asked) => {
    switch (asked.head.type) {
      case 'CONNECT':
        return asked.answer(200, { version: '0.1' });
      case 'AUTHENTICATE':
        return asked.answer(200, { user: 'alice@wonderland.lit' });
      default:
        return act(asked);
    }
  };
}
