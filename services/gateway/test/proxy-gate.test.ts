import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:tls';
import { parseNetworks } from '@fosp/runtime';
import { describe, expect, it, onTestFinished } from 'vitest';
import { standBefore } from '../src/front.ts';
import { ProxyGate } from '../src/proxy-gate.ts';
import { binary } from './proxy-headers.ts';
import { RawConnection } from './raw-connection.ts';

async function guarded(server: Server): Promise<{ gate: ProxyGate; port: number; refusals: string[] }> {
  const refusals: string[] = [];
  const gate = new ProxyGate({
    proxies: parseNetworks(['127.0.0.1']),
    headerSeconds: 10,
    mayWait: () => true,
    turnedAway: (reason) => refusals.push(reason),
    refused: ({ reason }) => refusals.push(reason),
  });
  standBefore(server, [gate]);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    gate.close();
    server.closeAllConnections();
    const closed = once(server, 'close');
    server.close();
    await closed;
  });
  const address = server.address();
  return { gate, port: typeof address === 'object' && address !== null ? address.port : 0, refusals };
}

function fixture(name: string): Buffer {
  return readFileSync(new URL(`fixtures/${name}`, import.meta.url));
}

describe('what is kept of a connection', () => {
  it('F24 goes with it, over HTTP and over TLS, whichever side ends it and however', async () => {
    const cert = fixture('localhost.pem');
    const servers = [createServer(), createTlsServer({ cert, key: fixture('localhost-key.pem') })];
    const [plain, secure] = await Promise.all(servers.map(guarded));
    for (const server of servers) {
      server.on('request', (_, response) => response.setHeader('Connection', 'close').end('well'));
    }
    const broken = await RawConnection.open(plain?.port ?? 0);
    await broken.writePieces([binary(), Buffer.from('GET')]);
    await expect.poll(() => plain?.gate.announced).toBe(1);
    broken.socket.resetAndDestroy();
    await expect.poll(() => plain?.gate.announced).toBe(0);

    const answered = await RawConnection.open(plain?.port ?? 0);
    answered.write(Buffer.concat([binary(), Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')]));
    await answered.closed;
    expect(answered.received).toContain('well');
    await expect.poll(() => plain?.gate.announced).toBe(0);

    const garbled = await RawConnection.open(secure?.port ?? 0);
    garbled.write(Buffer.concat([binary(), Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')]));
    await garbled.closed;
    const raw = await RawConnection.open(secure?.port ?? 0);
    raw.socket.removeAllListeners('data').pause();
    raw.write(binary());
    const tls = connect({ socket: raw.socket, ca: cert, servername: 'localhost' });
    await once(tls, 'secureConnect');
    expect(secure?.gate.announced).toBe(1);
    tls.end('GET / HTTP/1.1\r\nHost: a\r\n\r\n').resume();
    await raw.closed;
    await expect.poll(() => secure?.gate.announced).toBe(0);
    expect([plain, secure].map((server) => server?.gate.waiting)).toEqual([0, 0]);
    expect([plain, secure].flatMap((server) => server?.refusals)).toEqual([]);
  });

  it('F24 a connection that is over is nobody’s', async () => {
    const server = createServer();
    const { gate, port } = await guarded(server);
    const taken = once(server, 'connection');
    const client = await RawConnection.open(port);
    const [socket] = await taken;
    expect(gate.clientOf(socket)).toBeUndefined();
    client.write(Buffer.concat([binary(), Buffer.from('GET')]));
    await expect.poll(() => gate.clientOf(socket)).toBe('192.0.2.1');
    const over = new Promise((resolve) => socket.once('close', resolve));
    client.socket.destroy();
    await over;
    expect(gate.clientOf(socket)).toBeUndefined();
  });
});
