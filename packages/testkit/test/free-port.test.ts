import { connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { freePort } from '../src/index.ts';

describe('a free port', () => {
  it('is another one each time, below those that systems choose, and can be listened on', async () => {
    const ports = await Promise.all(Array.from({ length: 50 }, freePort));
    expect(new Set(ports).size).toBe(50);
    expect(ports.filter((port) => port < 1024 || port >= 32_768)).toEqual([]);
    for (const port of ports) {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
      await new Promise<unknown>((resolve) => server.close(resolve));
    }
  });

  it('is refused to whoever connects before somebody listens', async () => {
    const socket = connect(await freePort(), '127.0.0.1');
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => socket.once('error', resolve));
    expect(error.code).toBe('ECONNREFUSED');
  });
});
