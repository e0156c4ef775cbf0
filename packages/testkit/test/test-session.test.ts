import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { TestSession } from '../src/index.ts';

/** A server that answers each message by what `answer` makes of its text. */
async function serverOf(answer: (text: string) => readonly (string | Buffer)[]) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      for (const message of answer(data.toString())) {
        socket.send(message, { binary: typeof message !== 'string' });
      }
    });
  });
  await once(server, 'listening');
  const address = server.address();
  return { url: `ws://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, server };
}

describe('test session', () => {
  const servers: WebSocketServer[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      for (const client of server.clients) {
        client.terminate();
      }
      server.close();
    }
  });

  it('gives each request its own response, and notifications apart', async () => {
    const held: string[] = [];
    const { url, server } = await serverOf((text) => {
      held.push(text);
      return held.length < 2
        ? []
        : [
            'UPDATED alice@wonderland.lit/a\r\n\r\n{"data":1}',
            Buffer.from('SUCCEEDED 200 2\r\nContent-Type: text/plain\r\n\r\n\0\r\n'),
            'FAILED 404 1\r\n\r\n{"message":"no"}',
          ];
    });
    servers.push(server);
    const session = await TestSession.open(url);
    const first = session.request('SELECT', 'alice@wonderland.lit/b', { headers: { 'If-Match': '"1"' } });
    const second = await session.request('READ', 'alice@wonderland.lit/c');

    expect(held).toEqual(['SELECT alice@wonderland.lit/b 1\r\nIf-Match: "1"\r\n', 'READ alice@wonderland.lit/c 2\r\n']);
    expect(second).toMatchObject({
      succeeded: true,
      status: 200,
      headers: { 'Content-Type': 'text/plain' },
      binary: true,
    });
    expect(second.body).toEqual(Buffer.from('\0\r\n'));
    expect(await first).toMatchObject({ succeeded: false, status: 404 });
    expect(await session.nextNotification()).toMatchObject({ event: 'UPDATED', resource: 'alice@wonderland.lit/a' });
  });

  it('fails what is pending when the connection ends', async () => {
    const { url, server } = await serverOf(() => []);
    servers.push(server);
    const session = await TestSession.open(url);
    const pending = session.request('SELECT', 'alice@wonderland.lit/b');
    for (const client of server.clients) {
      client.close(1012, 'restart');
    }
    await expect(pending).rejects.toThrow('1012 restart');
    await expect(session.nextNotification()).rejects.toThrow('1012 restart');
  });
});
