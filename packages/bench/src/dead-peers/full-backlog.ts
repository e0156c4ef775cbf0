/**
 * A program that listens and never accepts: once the few places of its backlog are taken the kernel drops whatever knocks, so
 * that connecting there is answered by nothing at all, as by a firewall. Prints its port.
 */
import { createServer } from 'node:net';

const server = createServer();
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' && address !== null ? address.port : 0}\n`, () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
});
