/**
 * Ports for servers that are told theirs: they listen on them only later, and come back on the same one after a restart.
 *
 * Invariants: a port that the system chose and that is closed again is anybody's, of the next who listens on port 0 and of
 * every connection that is made. So those from here are below all that systems choose, where nobody but this file looks for
 * one; and each is kept from other processes of tests by a second port, on which this process listens until it ends.
 */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** Linux chooses from 32,768 on, others from 49,152. */
const FIRST_PORT = 10_000;
const PORTS = 10_000;
/** Between a port and the one that keeps it. */
const KEEPER_DISTANCE = PORTS;
const ATTEMPTS = 1_000;

/** One of 127.0.0.1 that nobody has, and no other test will, while this process lives. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = FIRST_PORT + randomInt(PORTS);
    const keeper = await listenOn(port + KEEPER_DISTANCE);
    const probe = keeper && (await listenOn(port));
    probe?.close();
    if (probe !== undefined) {
      await once(probe, 'close');
      keeper?.unref();
      return port;
    }
    keeper?.close();
  }
  throw new Error(`Of the ports from ${FIRST_PORT} on, none of ${ATTEMPTS} that were tried is free`);
}

/** Undefined where somebody has it. */
function listenOn(port: number): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  const { promise, resolve } = Promise.withResolvers<Server | undefined>();
  server.once('error', () => resolve(undefined));
  server.listen(port, '127.0.0.1', () => resolve(server));
  return promise;
}
