import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { acceptUpgrade, type DialOptions, dial, openPeer, TimerWheel, TransferBudget } from '../src/index.ts';
import { connectHttp, UPGRADE } from './raw-client.ts';
import { RecordingHandler } from './recording-handler.ts';
import { listen, MIB, startServer, TestClient } from './server.ts';

const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url));

function options(more: Partial<DialOptions> = {}): DialOptions {
  const environment = { budget: new TransferBudget(MIB), timers: new TimerWheel() };
  return { handler: new RecordingHandler(), environment, ...more };
}

describe('an upgrade request', () => {
  it('is accepted on any path, with the subprotocol where it is offered', async () => {
    const server = await startServer();
    for (const [offered, expected] of [
      [undefined, undefined],
      ['fosp', 'fosp'],
      ['chat, fosp', 'fosp'],
      ['chat', undefined],
    ]) {
      const lines = offered === undefined ? [] : [`Sec-WebSocket-Protocol: ${offered}`];
      const client = await connectHttp(server, [...UPGRADE, ...lines]);
      const answer = await client.until('\r\n\r\n');
      expect(answer).toContain('HTTP/1.1 101 Switching Protocols\r\n');
      expect(answer).toContain(`Sec-WebSocket-Accept: ${ACCEPT}\r\n`);
      expect(/Sec-WebSocket-Protocol: (.*)\r/.exec(answer)?.[1]).toBe(expected);
    }
  });

  it('is satisfied for another implementation, with and without a subprotocol', async () => {
    const server = await startServer();
    for (const protocols of [undefined, ['fosp'], ['other', 'fosp']]) {
      const client = new TestClient(`${server.url}/x?y`, protocols);
      onTestFinished(() => client.socket.terminate());
      await new Promise((resolve) => client.socket.on('open', resolve));
      expect(client.socket.protocol).toBe(protocols === undefined ? '' : 'fosp');
      expect(client.socket.extensions).toBe('');
    }
  });

  it.each([
    ['another method', { 0: 'POST / HTTP/1.1' }, '400', 'GET'],
    ['another protocol', { 3: 'Upgrade: h2c' }, '400', 'Upgrade: websocket'],
    ['no version', { 4: 'X: y' }, '400', 'Sec-WebSocket-Version'],
    ['an old version', { 4: 'Sec-WebSocket-Version: 8' }, '426', 'version 13'],
    ['no key', { 5: 'X: y' }, '400', 'Sec-WebSocket-Key'],
    ['a short key', { 5: 'Sec-WebSocket-Key: c2hvcnQ=' }, '400', 'Sec-WebSocket-Key'],
  ])('with %s is refused, with a text', async (_name, changes, status, text) => {
    const server = await startServer();
    const client = await connectHttp(server, Object.assign([...UPGRADE], changes));
    const answer = await client.untilEnded();
    expect(answer).toContain(`HTTP/1.1 ${status} `);
    expect(answer).toContain('Sec-WebSocket-Version: 13\r\n');
    expect(answer.slice(answer.indexOf('\r\n\r\n'))).toContain(text);
    expect(server.handlers).toEqual([]);
  });
});

describe('dial', () => {
  it('connects over TLS, by its own name service', async () => {
    const handler = new RecordingHandler();
    const { environment } = options();
    const server = createTlsServer({ key: fixture('localhost-key.pem'), cert: fixture('localhost-cert.pem') });
    server.on('upgrade', (request, socket, head) => {
      acceptUpgrade(request, socket);
      handler.answer = (message, peer) => peer.respond(message.head.sequence, 200, { body: message.body });
      handler.peer = openPeer(socket, head, { role: 'server', handler, environment });
    });
    const port = await listen(server);
    const peer = await dial(
      `wss://fosp.wonderland.lit:${port}/`,
      options({
        tls: { ca: fixture('localhost-cert.pem'), servername: 'localhost' },
        lookup: (_name, { all }, callback) => {
          if (all) {
            callback(null, [{ address: '127.0.0.1', family: 4 }]);
          } else {
            callback(null, '127.0.0.1', 4);
          }
        },
      }),
    );
    const body = new Uint8Array(MIB / 2).fill(5);
    const response = await peer.request('UPDATE', undefined, { body });
    expect(Buffer.from(response.body).equals(body)).toBe(true);
    peer.close(1000, '');
    await handler.untilClosed();
  });

  it('does not trust a certificate that it was not told to', async () => {
    const server = createTlsServer({ key: fixture('localhost-key.pem'), cert: fixture('localhost-cert.pem') });
    const port = await listen(server);
    await expect(dial(`wss://localhost:${port}/`, options())).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('asks for the path, and sends the headers it was given', async () => {
    const server = createServer();
    const seen: IncomingMessage[] = [];
    const handler = new RecordingHandler();
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head) => {
      seen.push(request);
      acceptUpgrade(request, socket);
      openPeer(socket, head, { role: 'server', handler, environment: options().environment });
    });
    const port = await listen(server);
    const peer = await dial(`ws://localhost:${port}/some/path?q=1`, options({ headers: { 'User-Agent': 'test' } }));
    expect(seen).toMatchObject([
      {
        url: '/some/path?q=1',
        headers: { 'user-agent': 'test', 'sec-websocket-protocol': 'fosp', host: `localhost:${port}` },
      },
    ]);
    peer.close(1000, '');
    await handler.untilClosed();
  });

  it.each([
    ['HTTP', 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n', 'HTTP 404'],
    ['a redirection', 'HTTP/1.1 302 Found\r\nLocation: ws://elsewhere/\r\nContent-Length: 0\r\n\r\n', 'HTTP 302'],
    ['no HTTP', 'SSH-2.0-OpenSSH\r\n', 'unreachable'],
    ['a wrong key', upgraded('Sec-WebSocket-Accept: AAAA'), 'WebSocket'],
    ['no key', upgraded('X: y'), 'WebSocket'],
    ['another subprotocol', upgraded('Sec-WebSocket-Protocol: chat'), 'WebSocket'],
    ['nothing', '', 'unreachable'],
  ])('F64 rejects where %s answers', async (_name, answer, text) => {
    const server = createServer();
    server.on('connection', (socket) => {
      socket.removeAllListeners('data');
      socket.once('data', () => socket.end(answer));
    });
    const port = await listen(server);
    const failure = await dial(`ws://localhost:${port}/`, options()).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'unreachable' });
    expect(`${JSON.stringify(failure)}`).toContain(text);
  });

  it('rejects an address of another kind, and one where nobody listens', async () => {
    await expect(dial('http://localhost/', options())).rejects.toMatchObject({ code: 'unreachable' });
    await expect(dial('ws://localhost:1/', options())).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('gives up when told to, and not any more once it is connected', async () => {
    const silent = createServer();
    const port = await listen(silent);
    silent.on('upgrade', (_request, socket) => void onTestFinished(() => void socket.destroy()));
    const giveUp = new AbortController();
    const waiting = dial(`ws://localhost:${port}/`, options({ signal: giveUp.signal }));
    giveUp.abort(new Error('changed my mind'));
    await expect(waiting).rejects.toThrow('changed my mind');
    await expect(dial(`ws://localhost:${port}/`, options({ timeoutMs: 1 }))).rejects.toMatchObject({ code: 'timeout' });

    const server = await startServer();
    const later = new AbortController();
    const peer = await dial(server.url, options({ signal: later.signal }));
    later.abort();
    peer.sendRaw('SELECT alice@wonderland.lit/a 1\r\n');
    await server.handlers[0]?.until(() => server.handlers[0]?.requests.length === 1);
    expect(peer.isOpen).toBe(true);
    peer.close(1000, '');
  });

  it('takes no extension that nobody asked for', async () => {
    const server = new WebSocketServer({ noServer: true });
    const http = createServer();
    http.on('upgrade', (request: IncomingMessage, socket: Duplex, head) => {
      server.on('headers', (headers) => headers.push('Sec-WebSocket-Extensions: permessage-deflate'));
      server.handleUpgrade(request, socket, head, (far) => onTestFinished(() => far.terminate()));
    });
    const port = await listen(http);
    await expect(dial(`ws://localhost:${port}/`, options())).rejects.toMatchObject({
      message: expect.stringContaining('extension'),
    });
  });
});

function upgraded(line: string): string {
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${line}\r\n\r\n`;
}
