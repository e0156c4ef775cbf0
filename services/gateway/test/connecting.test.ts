import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TestSession, WireClient } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startGateway } from './harness.ts';
import { RawConnection } from './raw-connection.ts';

function fixture(name: string): string {
  return fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
}

describe('CONNECT and the states of a connection', () => {
  it('F16 greets with version, domain, extensions, mechanisms and limits', async () => {
    const { url } = await startGateway();
    const session = await TestSession.open(url);
    expect(await session.json('CONNECT', '*', { body: { version: '0.1' } })).toEqual({
      version: '0.1',
      domain: 'wonderland.lit',
      extensions: ['ack', 'etag', 'page', 'password', 'resume', 'retire'],
      mechanisms: ['password', 'token'],
      registration: true,
      limits: { object: 262_144, acl: 16_384, attachment: 67_108_864, message: 67_125_248, requests: 64 },
      nonce: expect.stringMatching(/^[\w-]{22}$/),
    });
  });

  it('F16 greets with what the environment says', async () => {
    const { url } = await startGateway({
      environment: { FOSP_REGISTRATION: 'closed', FOSP_LIMIT_OBJECT: '4 KiB', FOSP_LIMIT_REQUESTS: '3' },
    });
    const session = await TestSession.open(url);
    expect(await session.json('CONNECT', '*', { body: { version: '0.1' } })).toMatchObject({
      registration: false,
      limits: { object: 4096, requests: 3 },
    });
  });

  it('F16 serves each of its domains, and names one it does not', async () => {
    const { url } = await startGateway();
    const session = await TestSession.open(url);
    const connect = (domain: unknown) => session.request('CONNECT', '*', { body: { version: '0.1', domain } });
    expect((await connect('realworld.lit')).status).toBe(421);
    expect((await connect(7)).status).toBe(400);
    const greeted = await connect('Looking-Glass.lit.');
    expect(JSON.parse(greeted.body.toString())).toMatchObject({ domain: 'looking-glass.lit' });
  });

  it('F17 F18 says 424 before CONNECT, 505 with the versions it speaks, and stays usable', async () => {
    const { url } = await startGateway();
    const session = await TestSession.open(url);
    expect((await session.request('SELECT', 'alice@wonderland.lit')).status).toBe(424);
    expect((await session.request('AUTHENTICATE', '*', { body: { name: 'a', password: 'b' } })).status).toBe(424);
    const refused = await session.request('CONNECT', '*', { body: { version: '0.2' } });
    expect(refused.status).toBe(505);
    expect(JSON.parse(refused.body.toString())).toMatchObject({ versions: ['0.1'] });
    expect((await session.request('SELECT', 'alice@wonderland.lit')).status).toBe(424);
    expect((await session.request('CONNECT', '*', { body: { version: '0.1' } })).status).toBe(200);
    expect((await session.request('SELECT', 'alice@wonderland.lit')).status).toBe(401);
  });

  it.each([
    '',
    '{',
    '[]',
    '7',
    '{"version":0.1}',
    '{"extensions":[]}',
    '{"version":"0.1","extensions":["a",1]}',
    '"\xff"',
  ])('F16 says what is wrong with CONNECT %j', async (body) => {
    const { url } = await startGateway();
    const session = await TestSession.open(url);
    const response = await session.request('CONNECT', '*', { body: Buffer.from(body, 'latin1') });
    expect(response.status).toBe(400);
    expect(JSON.parse(response.body.toString()).message).toMatch(/body|"version"|"extensions"/);
  });

  it('F16 may be repeated until AUTHENTICATE succeeded; the last one counts', async () => {
    const gateway = await startGateway();
    const session = await TestSession.connect(gateway.url, 'alice', { extensions: ['resume'] });
    await session.succeed('CONNECT', '*', { body: { version: '0.1', domain: 'looking-glass.lit' } });
    const credentials = { name: 'alice', password: 'curiouser and curiouser' };
    expect(await session.json('AUTHENTICATE', '*', { body: credentials })).toEqual({ user: 'alice@looking-glass.lit' });
    expect((await session.request('CONNECT', '*', { body: { version: '0.1' } })).status).toBe(400);
    expect((await session.request('AUTHENTICATE', '*', { body: credentials })).status).toBe(400);
  });

  it('F4 answers plain HTTP at the side door', async () => {
    const { http, url } = await startGateway();
    const root = await fetch(http);
    expect(await root.text()).toContain('wonderland.lit');
    const found: unknown = await (await fetch(`${http}/.well-known/fosp`)).json();
    expect(found).toEqual({
      versions: ['0.1'],
      domains: ['wonderland.lit', 'looking-glass.lit'],
      wsPort: Number(new URL(url).port),
    });
    expect((await fetch(`${http}/elsewhere`)).status).toBe(404);
  });

  it('F1 F4 takes a WebSocket on any path, with or without the subprotocol', async () => {
    const { url } = await startGateway();
    const plain = await WireClient.open(`${url}/any/path?at=all`);
    expect(plain.protocol).toBe('');
    const offering = await WireClient.open(url, { protocols: ['fosp'] });
    expect(offering.protocol).toBe('fosp');
  });

  it('F4 speaks the same over TLS, with the certificate it is given', async () => {
    const gateway = await startGateway({
      environment: { FOSP_TLS_CERT: fixture('localhost.pem'), FOSP_TLS_KEY: fixture('localhost-key.pem') },
    });
    const socket = new WebSocket(gateway.secureUrl, { ca: readFileSync(fixture('localhost.pem')) });
    await once(socket, 'open');
    socket.send('CONNECT * 1\r\n\r\n{"version":"0.1"}');
    const [answer] = await once(socket, 'message');
    expect(String(answer)).toMatch(/^SUCCEEDED 200 1\r\n/);
    socket.close();
    expect(await (await fetch(`${gateway.http}/.well-known/fosp`)).json()).toMatchObject({
      wssPort: Number(new URL(gateway.secureUrl).port),
    });
  });

  it('F4 does not start with a certificate and no key', async () => {
    await expect(startGateway({ environment: { FOSP_TLS_CERT: fixture('localhost.pem') } })).rejects.toThrow(
      'FOSP_TLS_KEY',
    );
  });

  it('F17 turns away what is over the limit of connections, until there is room', async () => {
    const gateway = await startGateway({ limits: { connections: 1 } });
    const first = await WireClient.open(gateway.url);
    await expect(WireClient.open(gateway.url)).rejects.toThrow('503');
    expect(await gateway.metric('fosp_gateway_turned_away_total{reason="full"}')).toBe(1);
    await first.close();
    await WireClient.open(gateway.url);
  });

  it('F17 ends what is no whole request in time, and what never begins with TLS', async () => {
    const gateway = await startGateway({
      environment: { FOSP_TLS_CERT: fixture('localhost.pem'), FOSP_TLS_KEY: fixture('localhost-key.pem') },
      limits: { httpSeconds: 1.5 },
    });
    const half = await RawConnection.open(Number(new URL(gateway.url).port));
    half.write('GET / HTTP/1.1\r\nHo');
    const silent = await RawConnection.open(Number(new URL(gateway.secureUrl).port));
    await Promise.all([half.closed, silent.closed]);
    expect(half.received).toMatch(/^HTTP\/1.1 408 /);
  });

  it('F17 closes whoever does not log in in time with 1008, and nobody else', async () => {
    let now = 1_000_000;
    const gateway = await startGateway({ clock: () => now });
    const silent = await WireClient.open(gateway.url);
    const talking = await TestSession.connect(gateway.url);
    const alice = await gateway.logIn('alice');
    now += 29_000;
    const late = await WireClient.open(gateway.url);
    now += 2_000;
    expect((await silent.closed).code).toBe(1008);
    expect((await talking.wire.closed).code).toBe(1008);
    late.send('CONNECT * 1\r\n\r\n{"version":"0.1"}');
    expect((await late.next()).bytes.toString()).toContain('SUCCEEDED 200 1');
    expect((await alice.request('AUTHENTICATE', '*')).status).toBe(400);
  });

  it('F17 leaves nothing behind of a login that comes too late', async () => {
    let now = 1_000_000;
    const gateway = await startGateway({ clock: () => now });
    const asked = Promise.withResolvers<void>();
    const decided = Promise.withResolvers<void>();
    gateway.accounts.beforeLogin = () => {
      asked.resolve();
      return decided.promise;
    };
    const login = expect(gateway.logIn('alice')).rejects.toThrow('1008');
    await asked.promise;
    expect(await gateway.metric('fosp_gateway_users')).toBe(1);
    now += 31_000;
    await login;
    decided.resolve();
    await expect.poll(() => gateway.metric('fosp_gateway_users')).toBe(0);
  });
});
