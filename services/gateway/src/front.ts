/**
 * What stands before a public server: each connection passes some gates, and then the server's own listeners take its socket as
 * if it had just come. So the server keeps its listening, timeouts and closing, which it would not have if it were handed
 * sockets by another one that listens.
 */
import type { Server as HttpServer } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';

export type Pass = (socket: Socket) => void;

/** Holds sockets back until they may go on. What it reads of one it puts back. */
export interface Gate {
  /** Calls `pass` now, later, or never, and destroys the socket then. */
  take(socket: Socket, pass: Pass): void;
}

/** From now on the server gets connections once they have passed all gates, in their order. To be called before it listens. */
export function standBefore(server: HttpServer, gates: readonly Gate[]): void {
  const listeners = server.listeners('connection');
  const isTls = server instanceof TlsServer;
  const handOver: Pass = (socket) => {
    for (const listener of listeners) {
      listener.call(server, socket);
    }
    if (!isTls) {
      // TLS takes from the paused socket what was put back. HTTP waits for it to flow, as it does when it comes.
      socket.resume();
    }
  };
  const first = gates.reduceRight<Pass>((pass, gate) => (socket) => gate.take(socket, pass), handOver);
  server.removeAllListeners('connection');
  server.on('connection', first);
}

/** Whatever breaks a connection also closes it. */
export function ignoreError(): void {}
