import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { TestSession, WireClient } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { type GatewayOptions, startGateway, type TestGateway } from './harness.ts';
import { binary, extension, ipv6, line } from './proxy-headers.ts';
import { RawConnection, startBalancer } from './raw-connection.ts';

const CERTIFICATE = fileURLToPath(new URL('fixtures/localhost.pem', import.meta.url));
const KEY = fileURLToPath(new URL('fixtures/localhost-key.pem', import.meta.url));
const TRUSTED = readFileSync(CERTIFICATE, 'utf8');
const UPGRADE = [
  'GET / HTTP/1.1',
  'Host: wonderland.lit',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '\r\n',
].join('\r\n');

/** Behind balancers that connect from loopback. */
function startBehind(options: GatewayOptions = {}): Promise<TestGateway> {
  const environment = { FOSP_PROXIES: '127.0.0.0/8', FOSP_TLS_CERT: CERTIFICATE, FOSP_TLS_KEY: KEY };
  return startGateway({ ...options, environment: { ...environment, ...options.environment } });
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

/** The address that the gateway has for whoever logs in over this session. */
async function addressOf(session: TestSession, gateway: TestGateway): Promise<string | undefined> {
  await session.succeed('CONNECT', '*', { body: { version: '0.1' } });
  await session.succeed('AUTHENTICATE', '*', { body: { name: 'alice', password: 'whatever it is' } });
  return gateway.accounts.of('login').at(-1)?.['address'];
}

/** A masked text frame, whose mask changes nothing. */
function frame(message: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | message.length, 0, 0, 0, 0]), Buffer.from(message)]);
}

describe('behind load balancers', () => {
  const headers: [string, Buffer, string][] = [
    ['v1', line('TCP4 192.0.2.1 10.0.0.1 54321 1337'), '192.0.2.1'],
    ['v1 over IPv6', line('TCP6 2001:DB8::1 ::1 54321 1337'), '2001:db8::1'],
    ['v1 without an address', line('UNKNOWN'), '127.0.0.1'],
    ['v2', binary(), '192.0.2.1'],
    ['v2 over IPv6', binary({ family: 0x21, addresses: ipv6('20010db8000000000000000000000002') }), '2001:db8::2'],
    ['v2 with extensions', binary({ extensions: extension(4, Buffer.alloc(900)) }), '192.0.2.1'],
    ['v2 of the balancer itself', binary({ command: 0x20, family: 0, addresses: Buffer.alloc(0) }), '127.0.0.1'],
  ];

  it.each(headers)('F24 a client has the address that %s says, over ws and wss', async (_, header, address) => {
    const gateway = await startBehind();
    const plain = await startBalancer(portOf(gateway.url), () => header);
    const secure = await startBalancer(portOf(gateway.secureUrl), () => header);
    const session = await TestSession.open(`ws://127.0.0.1:${plain}`);
    expect(await addressOf(session, gateway)).toBe(address);
    const options = { trusted: TRUSTED };
    const secureSession = await TestSession.open(`wss://127.0.0.1:${secure}`, 'alice', options);
    expect(await addressOf(secureSession, gateway)).toBe(address);
    expect(gateway.accounts.of('login')).toHaveLength(2);
  });

  it('F24 clients of one balancer are told apart, for as long as they are there', async () => {
    const gateway = await startBehind();
    let next = 0;
    const balancers = [
      ['ws', await startBalancer(portOf(gateway.url), () => line(`TCP4 192.0.2.${++next} 10.0.0.1 1 2`))],
      ['wss', await startBalancer(portOf(gateway.secureUrl), () => line(`TCP4 192.0.2.${++next} 10.0.0.1 1 2`))],
    ];
    const sessions: TestSession[] = [];
    for (const [scheme, port] of [...balancers, ...balancers, ...balancers]) {
      sessions.push(await TestSession.open(`${scheme}://127.0.0.1:${port}`, 'somebody', { trusted: TRUSTED }));
    }
    const addresses: unknown[] = [];
    for (const session of sessions) {
      addresses.push(await addressOf(session, gateway));
    }
    expect(addresses).toEqual([1, 2, 3, 4, 5, 6].map((number) => `192.0.2.${number}`));
  });

  it('F4 the header may come in any pieces, with what follows it in the last', async () => {
    const gateway = await startBehind();
    const header = binary({ extensions: extension(4, Buffer.alloc(40)) });
    for (const size of [1, 7, 16, header.length - 1, header.length, header.length + 30]) {
      const all = Buffer.concat([header, Buffer.from(UPGRADE), frame('CONNECT * 1\r\n\r\n{"version":"0.1"}')]);
      const pieces = Array.from({ length: Math.ceil(all.length / size) }, (_, at) =>
        all.subarray(at * size, (at + 1) * size),
      );
      const raw = await RawConnection.open(portOf(gateway.url));
      await raw.writePieces(pieces);
      await expect.poll(() => raw.received).toMatch(/^HTTP\/1.1 101 .*\r\n\r\n..+SUCCEEDED 200 1\r\n/s);
      raw.socket.destroy();
    }
  });

  it('F4 the header may come in any pieces before TLS', async () => {
    const gateway = await startBehind();
    const header = binary();
    for (const size of [1, 16, header.length - 1]) {
      const raw = await RawConnection.open(portOf(gateway.secureUrl));
      raw.socket.removeAllListeners('data').pause();
      await raw.writePieces([header.subarray(0, size), header.subarray(size, size + 1), header.subarray(size + 1)]);
      const tls = connectTls({ socket: raw.socket, ca: TRUSTED, servername: 'localhost' });
      tls.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      expect(await text(tls)).toContain('wonderland.lit');
    }
  });

  it('F4 everything behind the header in one segment is taken: request, upgrade, message', async () => {
    const gateway = await startBehind();
    const raw = await RawConnection.open(portOf(gateway.url));
    const request = 'GET /.well-known/fosp HTTP/1.1\r\nHost: wonderland.lit\r\n\r\n';
    const message = frame('CONNECT * 1\r\n\r\n{"version":"0.1"}');
    raw.write(Buffer.concat([line('TCP4 192.0.2.9 10.0.0.1 1 2'), Buffer.from(request)]));
    await expect.poll(() => raw.received).toContain('"wsPort"');
    raw.write(Buffer.concat([Buffer.from(UPGRADE), message]));
    await expect.poll(() => raw.received).toContain('SUCCEEDED 200 1');
    raw.write(frame('AUTHENTICATE * 2\r\n\r\n{"name":"alice","password":"a"}'));
    await expect.poll(() => gateway.accounts.of('login').at(-1)?.['address']).toBe('192.0.2.9');
  });

  it('F4 the side door answers again and again on one connection', async () => {
    const gateway = await startBehind();
    const port = await startBalancer(portOf(gateway.url), () => binary());
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let count = 0; count < 5; count++) {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      get({ port, agent, path: '/' }, (response) => {
        ports.add(response.socket.localPort);
        text(response).then(resolve, reject);
      }).on('error', reject);
      expect(await promise).toContain('wonderland.lit');
    }
    expect(ports.size).toBe(1);
    agent.destroy();
  });

  it('F24 what HTTP says of addresses is not believed, with load balancers or without', async () => {
    const forged = { 'X-Forwarded-For': '198.51.100.1', Forwarded: 'for=198.51.100.1', 'X-Real-IP': '198.51.100.1' };
    const alone = await startGateway();
    const direct = await TestSession.open(alone.url, 'alice', { headers: forged });
    expect(await addressOf(direct, alone)).toBe('127.0.0.1');
    const behind = await startBehind();
    const port = await startBalancer(portOf(behind.url), () => binary());
    const balanced = await TestSession.open(`ws://127.0.0.1:${port}`, 'alice', { headers: forged });
    expect(await addressOf(balanced, behind)).toBe('192.0.2.1');
  });
});

describe('a balancer that does not say whose connection it is', () => {
  it.each<[string, 'url' | 'secureUrl', string | Uint8Array]>([
    ['a request without a header', 'url', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['TLS without a header', 'secureUrl', Buffer.from('1603010200010001fc0303', 'hex')],
    ['a malformed header', 'url', line('TCP4 password:hunter2 10.0.0.1 1 2')],
    ['a header that is too long', 'secureUrl', binary({ length: 65_535 })],
  ])('F17 is closed without an answer, counted and logged: %s', async (_, url, bytes) => {
    const lines: string[] = [];
    const gateway = await startBehind({ lines });
    const raw = await RawConnection.open(portOf(gateway[url]));
    raw.write(bytes);
    await raw.closed;
    expect(raw.received).toBe('');
    expect(await gateway.metric('fosp_gateway_turned_away_total{reason="proxy-malformed"}')).toBe(1);
    const logged = lines.filter((entry) => entry.includes('FOSP_PROXIES'));
    expect(logged.map((entry) => JSON.parse(entry))).toMatchObject([
      { proxy: '127.0.0.1', unlogged: 0, level: 'warn' },
    ]);
    expect(lines.join()).not.toContain('hunter2');
  });

  it('F17 is logged a few times, and counted every time', async () => {
    const lines: string[] = [];
    let now = 1_000_000;
    const gateway = await startBehind({ lines, clock: () => now });
    const fail = async () => {
      const raw = await RawConnection.open(portOf(gateway.url));
      raw.write('EHLO\r\n');
      await raw.closed;
    };
    for (let count = 0; count < 20; count++) {
      await fail();
    }
    now += 60_000;
    await fail();
    expect(await gateway.metric('fosp_gateway_turned_away_total{reason="proxy-malformed"}')).toBe(21);
    const logged = lines.filter((entry) => entry.includes('FOSP_PROXIES')).map((entry) => JSON.parse(entry));
    expect(logged.map(({ unlogged }) => unlogged)).toEqual([0, 0, 0, 0, 0, 15]);
  });

  it('F17 has its time, and no more, however slowly it writes', async () => {
    const gateway = await startBehind({ limits: { proxyHeaderSeconds: 2 } });
    const port = await startBalancer(portOf(gateway.url), () => binary());
    const before = await TestSession.open(`ws://127.0.0.1:${port}`);
    const [silent, slow, secure] = await Promise.all([
      RawConnection.open(portOf(gateway.url)),
      RawConnection.open(portOf(gateway.url)),
      RawConnection.open(portOf(gateway.secureUrl)),
    ]);
    const dripping = setInterval(() => slow.write(' '), 100);
    slow.write('PROXY UNKNOWN ');
    secure.write('PROXY UNKNOWN ');
    await Promise.all([silent.closed, slow.closed, secure.closed]);
    clearInterval(dripping);
    expect(await gateway.metric('fosp_gateway_turned_away_total{reason="proxy-late"}')).toBe(3);
    expect(await addressOf(before, gateway)).toBe('192.0.2.1');
    expect(await gateway.metric('fosp_gateway_headers_awaited')).toBe(0);
  });

  it('F17 and goes in the middle of it is counted; one who only looks at the port is not', async () => {
    const gateway = await startBehind();
    const [ended, broken, looking] = await Promise.all([
      RawConnection.open(portOf(gateway.url)),
      RawConnection.open(portOf(gateway.url)),
      RawConnection.open(portOf(gateway.url)),
    ]);
    await expect.poll(() => gateway.metric('fosp_gateway_headers_awaited')).toBe(3);
    ended.socket.end('PROXY TCP4 192');
    looking.socket.end();
    await Promise.all([ended.closed, looking.closed]);
    await broken.writePieces([Buffer.from('PROXY TCP4 192')]);
    broken.socket.resetAndDestroy();
    await expect.poll(() => gateway.metric('fosp_gateway_headers_awaited')).toBe(0);
    const counted = await Promise.all(
      ['cut', 'late', 'malformed'].map((kind) =>
        gateway.metric(`fosp_gateway_turned_away_total{reason="proxy-${kind}"}`),
      ),
    );
    // Of a connection that was reset nobody knows how much of it was read.
    expect([1, 2]).toContain(counted[0]);
    expect(counted.slice(1)).toEqual([0, 0]);
  });

  it('F17 counts among the connections while it waits', async () => {
    const gateway = await startBehind({ limits: { connections: 3, waitingWhenFull: 1 } });
    const port = await startBalancer(portOf(gateway.url), () => binary());
    await WireClient.open(`ws://127.0.0.1:${port}`);
    const waiting = [
      await RawConnection.open(portOf(gateway.url)),
      await RawConnection.open(portOf(gateway.secureUrl)),
    ] as const;
    await expect.poll(() => gateway.metric('fosp_gateway_headers_awaited')).toBe(2);
    const turnedAway = await RawConnection.open(portOf(gateway.url));
    await turnedAway.closed;
    expect(turnedAway.received).toBe('');
    expect(await gateway.metric('fosp_gateway_turned_away_total{reason="full"}')).toBe(1);
    waiting[1].socket.destroy();
    waiting[0].write(Buffer.concat([binary(), Buffer.from(UPGRADE)]));
    await expect.poll(() => waiting[0].received).toContain('101 Switching');
    await WireClient.open(`ws://127.0.0.1:${port}`);
    // All are taken now, and whoever comes is told so.
    await expect(WireClient.open(`ws://127.0.0.1:${port}`)).rejects.toThrow('503');
    expect(await gateway.metric('fosp_gateway_turned_away_total{reason="full"}')).toBe(2);
  });

  it('F68 is closed by a drain, as is whoever never begins with TLS', async () => {
    const gateway = await startBehind({ environment: { FOSP_DRAIN_SECONDS: '600' } });
    const waiting = await RawConnection.open(portOf(gateway.url));
    const secure = await RawConnection.open(portOf(gateway.secureUrl));
    const announced = await RawConnection.open(portOf(gateway.url));
    const handshaking = await RawConnection.open(portOf(gateway.secureUrl));
    secure.write('PROXY ');
    await announced.writePieces([Buffer.concat([binary(), Buffer.from('GET / HT')])]);
    await handshaking.writePieces([binary()]);
    await expect.poll(() => gateway.metric('fosp_gateway_headers_awaited')).toBe(2);
    await gateway.service.drain();
    await Promise.all([waiting.closed, secure.closed, announced.closed, handshaking.closed]);
    expect(await gateway.metric('fosp_gateway_turned_away_total{reason="proxy-cut"}')).toBe(0);
  });
});

describe('whoever is no balancer', () => {
  it('F24 needs no header, and has the address of their socket', async () => {
    const gateway = await startBehind({ environment: { FOSP_PROXIES: '10.0.0.0/8' } });
    expect(await addressOf(await TestSession.open(gateway.url), gateway)).toBe('127.0.0.1');
    const secure = await TestSession.open(gateway.secureUrl, 'alice', { trusted: TRUSTED });
    expect(await addressOf(secure, gateway)).toBe('127.0.0.1');
  });

  it.each([undefined, '10.0.0.0/8'])(
    'F17 is a bad client where they send one, with FOSP_PROXIES=%s',
    async (proxies) => {
      const gateway = await startGateway(proxies === undefined ? {} : { environment: { FOSP_PROXIES: proxies } });
      for (const header of [line('TCP4 192.0.2.1 10.0.0.1 1 2'), binary()]) {
        const raw = await RawConnection.open(portOf(gateway.url));
        raw.write(Buffer.concat([header, Buffer.from(UPGRADE)]));
        await raw.closed;
        expect(raw.received).toMatch(/^HTTP\/1.1 400 /);
      }
      expect(await gateway.metric('fosp_gateway_connections_total')).toBe(0);
    },
  );

  it('F24 IPv4 networks hold for IPv4 connections to an IPv6 socket', async () => {
    const gateway = await startBehind({ environment: { FOSP_HOST: '::', FOSP_PROXIES: '127.0.0.1' } });
    const port = await startBalancer(portOf(gateway.url), () => binary());
    expect(await addressOf(await TestSession.open(`ws://127.0.0.1:${port}`), gateway)).toBe('192.0.2.1');
    expect(await addressOf(await TestSession.open(gateway.url.replace('127.0.0.1', '[::1]')), gateway)).toBe('::1');
  });
});
