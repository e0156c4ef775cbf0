import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { linksOf, OBJECTS } from '@fosp/bus';
import { fospError } from '@fosp/protocol';
import { authorityInstalled, startTestAuthority } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { FederationStandIn, forbidden } from './federation-stand-in.ts';
import { type GatewayOptions, startGateway, type TestGateway } from './harness.ts';
import { line } from './proxy-headers.ts';
import { startBalancer } from './raw-connection.ts';
import { REALWORLD, ServerEnd } from './server-end.ts';

const CERTIFICATE = fileURLToPath(new URL('fixtures/localhost.pem', import.meta.url));
const KEY = fileURLToPath(new URL('fixtures/localhost-key.pem', import.meta.url));

async function start(options: GatewayOptions = {}) {
  const gateway = await startGateway(options);
  const federation = await FederationStandIn.serve(gateway.bus);
  return { gateway, federation };
}

function claim(end: ServerEnd, members: Record<string, unknown> = {}) {
  return end.request('AUTHENTICATE', '*', { body: JSON.stringify({ type: 'server', domain: REALWORLD, ...members }) });
}

async function nonceOf(end: ServerEnd): Promise<string> {
  const { body } = await end.succeed('CONNECT', '*', { body: '{"version":"0.1","domain":"looking-glass.lit"}' });
  return JSON.parse(body.toString()).nonce;
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

describe('a server that says whose it is', () => {
  it('F63 is let in where the federation service believes it, and whoever dials that domain is told', async () => {
    const { gateway, federation } = await start();
    const nudged: string[] = [];
    await gateway.bus.onNudge((domain) => nudged.push(domain));
    const end = await ServerEnd.open(gateway.url);
    const nonce = await nonceOf(end);
    const response = await claim(end, { domain: 'RealWorld.lit.', key: 'a-key_1' });
    expect(response.status).toBe(200);
    expect(JSON.parse(response.body.toString())).toEqual({ domain: REALWORLD });
    expect(federation.admitted).toEqual([
      { domain: REALWORLD, to: 'looking-glass.lit', address: '127.0.0.1', key: 'a-key_1', nonce },
    ]);
    expect(nudged).toEqual([REALWORLD]);
    expect(await gateway.metric('fosp_gateway_server_links')).toBe(1);
    await end.wire.close();
    await expect.poll(() => gateway.metric('fosp_gateway_server_links')).toBe(0);
    await expect.poll(() => gateway.transport.listening).toEqual([expect.stringContaining('nudge')]);
  });

  it('F63 gets another nonce each time, which serves once', async () => {
    const { gateway, federation } = await start();
    const nonces = new Set<string>();
    const end = await ServerEnd.open(gateway.url);
    for (let count = 0; count < 20; count++) {
      nonces.add(await nonceOf(end));
    }
    expect(nonces.size).toBe(20);
    expect((await claim(end, { key: 'a', domain: 'no domain' })).status).toBe(400);
    expect((await claim(end, { key: 'b' })).status).toBe(200);
    expect(federation.admitted).toEqual([{ domain: REALWORLD, to: 'looking-glass.lit', address: '127.0.0.1' }]);
  });

  it('F63 may use it for 30 s', async () => {
    let now = 1_000_000;
    const { gateway, federation } = await start({ clock: () => now, limits: { loginSeconds: 1000 } });
    const keys: (string | undefined)[] = [];
    for (const seconds of [30, 31]) {
      const end = await ServerEnd.open(gateway.url);
      await nonceOf(end);
      now += seconds * 1000;
      expect((await claim(end, { key: 'k' })).status).toBe(200);
      keys.push(federation.admitted.at(-1)?.['key']);
    }
    expect(keys).toEqual(['k', undefined]);
  });

  it.each<[string, Record<string, unknown>]>([
    ['without a domain', { domain: undefined }],
    ['of no domain', { domain: 'a b' }],
    ['whose key is no text', { key: 7 }],
    ['whose key could not cross the bus', { key: 'a\nb' }],
    ['whose key is endless', { key: 'k'.repeat(257) }],
  ])('F23 is told what is wrong with a claim %s, and may try again', async (_, members) => {
    const { gateway, federation } = await start();
    const end = await ServerEnd.connect(gateway.url);
    expect((await claim(end, members)).status).toBe(400);
    expect(federation.admitted).toEqual([]);
    expect((await claim(end)).status).toBe(200);
  });

  it('F64 F66 is refused with the reason, and closed', async () => {
    const lines: string[] = [];
    const { gateway, federation } = await start({ lines });
    federation.admit = () => forbidden('realworld.lit is at another address.');
    const end = await ServerEnd.connect(gateway.url);
    const refused = await claim(end);
    expect([refused.type, refused.status]).toEqual(['FAILED', 403]);
    expect(refused.body.toString()).toContain('another address');
    expect((await end.wire.closed).code).toBe(1008);
    expect(await gateway.metric('fosp_gateway_server_claims_total{status="403"}')).toBe(1);
    expect(lines.filter((text) => text.includes('another address') && text.includes('127.0.0.1'))).toHaveLength(1);
    expect(gateway.transport.listening).toEqual([]);
  });

  it('F64 is sent away where it cannot be found out', async () => {
    const { gateway, federation } = await start();
    federation.admit = () => fospError('unreachable', 'The name system does not answer.');
    const end = await ServerEnd.connect(gateway.url);
    expect((await claim(end)).status).toBe(504);
    expect((await end.wire.closed).code).toBe(1013);
  });

  it.each(['wonderland.lit', 'Looking-Glass.LIT.'])('F64 is never one of ours: %s', async (domain) => {
    const { gateway, federation } = await start();
    const end = await ServerEnd.connect(gateway.url);
    expect((await claim(end, { domain })).status).toBe(403);
    expect((await end.wire.closed).code).toBe(1008);
    expect(federation.admitted).toEqual([]);
  });

  it('F66 finds no federation where it is switched off', async () => {
    const { gateway, federation } = await start({ environment: { FOSP_FEDERATION: 'off' } });
    const end = await ServerEnd.open(gateway.url);
    const { body } = await end.succeed('CONNECT', '*', { body: '{"version":"0.1"}' });
    expect(JSON.parse(body.toString())).not.toHaveProperty('nonce');
    expect(JSON.parse(body.toString()).extensions).not.toContain('ack');
    expect((await end.request('VERIFY', '*', { body: '{}' })).status).toBe(403);
    expect((await claim(end)).status).toBe(403);
    expect((await end.wire.closed).code).toBe(1008);
    expect([federation.admitted, federation.verified]).toEqual([[], []]);
  });

  it('F63 is held to a rate per address before anybody is asked', async () => {
    const { gateway, federation } = await start({ limits: { claimRate: { perSecond: 0.001, burst: 3 } } });
    const statuses: number[] = [];
    for (let count = 0; count < 5; count++) {
      const end = await ServerEnd.connect(gateway.url);
      statuses.push((await claim(end)).status);
    }
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    expect(federation.admitted).toHaveLength(3);
    const other = await ServerEnd.connect(gateway.url, { wire: { from: '127.0.0.2' } });
    expect((await claim(other)).status).toBe(200);
    expect(federation.admitted.at(-1)?.['address']).toBe('127.0.0.2');
  });

  it('F63 has the address that a load balancer states, and never its own', async () => {
    const { gateway, federation } = await start({ environment: { FOSP_PROXIES: '127.0.0.0/8' } });
    for (const words of ['TCP4 192.0.2.1 10.0.0.1 54321 1337', 'UNKNOWN', 'TCP4 127.0.0.9 10.0.0.1 54321 1337']) {
      const port = await startBalancer(portOf(gateway.url), () => line(words));
      await ServerEnd.link(`ws://127.0.0.1:${port}`);
    }
    expect(federation.admitted.map(({ address }) => address)).toEqual(['192.0.2.1', '', '']);
  });

  it('F17 has nothing taken in while it is decided on, and is judged by the outcome', async () => {
    const { gateway, federation } = await start();
    const decided = Promise.withResolvers<undefined>();
    federation.admit = () => decided.promise;
    let asked = 0;
    await gateway.bus.serve(
      OBJECTS.select,
      async ({ fields }) => {
        asked++;
        return { fields: {}, body: Buffer.from(fields.user) };
      },
      { concurrency: 1 },
    );
    const end = await ServerEnd.connect(gateway.url);
    const claimed = claim(end);
    const selected = end.ask('sister@realworld.lit', 'SELECT', 'alice@wonderland.lit/a');
    await expect.poll(() => federation.admitted.length === 1).toBe(true);
    expect(asked).toBe(0);
    decided.resolve(undefined);
    expect((await claimed).status).toBe(200);
    expect((await selected).body.toString()).toBe('sister@realworld.lit');
  });

  it('F17 leaves nothing behind where it is decided on too late', async () => {
    let now = 1_000_000;
    const { gateway, federation } = await start({ clock: () => now });
    const decided = Promise.withResolvers<undefined>();
    federation.admit = () => decided.promise;
    const end = await ServerEnd.connect(gateway.url);
    claim(end).catch(() => undefined);
    await expect.poll(() => federation.admitted.length === 1).toBe(true);
    now += 31_000;
    expect((await end.wire.closed).code).toBe(1008);
    decided.resolve(undefined);
    await expect.poll(() => gateway.transport.listening).toEqual([]);
    expect(await gateway.metric('fosp_gateway_server_links')).toBe(0);
  });
});

describe('links of a domain', () => {
  it('F63 are bounded per domain', async () => {
    const { gateway } = await start({ limits: { linksPerDomain: 2 } });
    const first = await ServerEnd.link(gateway.url);
    await ServerEnd.link(gateway.url);
    const third = await ServerEnd.connect(gateway.url);
    expect((await claim(third)).status).toBe(429);
    expect((await third.wire.closed).code).toBe(1013);
    await ServerEnd.link(gateway.url, { domain: 'elsewhere.lit' });
    await first.wire.close();
    await expect.poll(async () => (await claim(await ServerEnd.connect(gateway.url))).status).toBe(200);
  });

  it('F63 are bounded per address, before anybody is asked', async () => {
    const { gateway, federation } = await start({ limits: { linksPerAddress: 2 } });
    await ServerEnd.link(gateway.url);
    await ServerEnd.link(gateway.url, { domain: 'elsewhere.lit' });
    expect((await claim(await ServerEnd.connect(gateway.url))).status).toBe(429);
    expect(federation.admitted).toHaveLength(2);
    await ServerEnd.link(gateway.url, { wire: { from: '127.0.0.2' } });
    // Clients are no links.
    await gateway.logIn('alice');
  });

  it('F66 are closed when the domain is not welcome any more, and no others', async () => {
    const { gateway, federation } = await start();
    const links = [await ServerEnd.link(gateway.url), await ServerEnd.link(gateway.url)];
    const other = await ServerEnd.link(gateway.url, { domain: 'elsewhere.lit' });
    const decided = Promise.withResolvers<undefined>();
    federation.admit = () => decided.promise;
    const late = await ServerEnd.connect(gateway.url);
    const claimed = claim(late);
    await expect.poll(() => federation.admitted.length === 4).toBe(true);
    gateway.bus.publishToUser(linksOf(REALWORLD), { event: 'revoked', except: '' });
    for (const link of links) {
      expect((await link.wire.closed).code).toBe(1008);
    }
    decided.resolve(undefined);
    expect((await claimed).status).toBe(403);
    expect((await other.request('CONNECT', '*')).status).toBe(400);
  });

  it('F68 are closed with 1012 when the gateway stops, once what is in flight is answered', async () => {
    const { gateway } = await start({ limits: { graceSeconds: 60 } });
    const answered = Promise.withResolvers<void>();
    let asked = 0;
    await gateway.bus.serve(
      OBJECTS.select,
      async () => {
        asked++;
        await answered.promise;
        return { fields: {} };
      },
      { concurrency: 10 },
    );
    const idle = await ServerEnd.link(gateway.url);
    const busy = await ServerEnd.link(gateway.url);
    const selected = busy.ask('sister@realworld.lit', 'SELECT', 'alice@wonderland.lit/a');
    await expect.poll(() => asked === 1).toBe(true);
    const drained = gateway.service.drain();
    expect((await idle.wire.closed).code).toBe(1012);
    const late = await busy.ask('sister@realworld.lit', 'SELECT', 'alice@wonderland.lit/b');
    expect(late).toMatchObject({ status: 503, headers: { 'Retry-After': '1', To: 'sister@realworld.lit' } });
    expect(asked).toBe(1);
    answered.resolve();
    expect((await selected).status).toBe(200);
    expect((await busy.wire.closed).code).toBe(1012);
    await drained;
  });

  it('F68 are closed with 1012 at once when the bus may have lost something', async () => {
    const { gateway } = await start();
    const links = [await ServerEnd.link(gateway.url), await ServerEnd.link(gateway.url, { domain: 'elsewhere.lit' })];
    gateway.transport.breakLink('overrun');
    expect(await Promise.all(links.map(async ({ wire }) => (await wire.closed).code))).toEqual([1012, 1012]);
  });
});

describe('VERIFY', () => {
  const asked = { from: 'Wonderland.lit', to: REALWORLD, nonce: 'n-1', key: 'k_1' };

  it('F63 is answered for whoever said CONNECT, by the federation service', async () => {
    const { gateway, federation } = await start();
    const end = await ServerEnd.open(gateway.url);
    expect((await end.request('VERIFY', '*', { body: JSON.stringify(asked) })).status).toBe(424);
    await end.succeed('CONNECT', '*', { body: '{"version":"0.1"}' });
    expect((await end.request('VERIFY', '*', { body: JSON.stringify(asked) })).status).toBe(200);
    federation.verify = () => forbidden('The key is none of ours.');
    expect((await end.request('VERIFY', '*', { body: JSON.stringify(asked) })).status).toBe(403);
    expect(federation.verified).toEqual([0, 1].map(() => ({ ...asked, from: 'wonderland.lit' })));
  });

  it('F63 is answered on a link as well, and to no client', async () => {
    const { gateway, federation } = await start();
    const link = await ServerEnd.link(gateway.url);
    expect((await link.request('VERIFY', '*', { body: JSON.stringify(asked) })).status).toBe(200);
    federation.verify = () => forbidden('The key is none of ours.');
    expect((await link.request('VERIFY', '*', { body: JSON.stringify(asked) })).status).toBe(403);
    const alice = await gateway.logIn('alice');
    alice.wire.send(`VERIFY * 900\r\n\r\n${JSON.stringify(asked)}`);
    await alice.request('AUTHENTICATE', '*');
    expect(await gateway.metric('fosp_gateway_bad_messages_total{from="client"}')).toBe(1);
    expect(federation.verified).toHaveLength(2);
  });

  it.each([
    '',
    '{}',
    'x',
    JSON.stringify({ ...asked, from: 'a b' }),
    JSON.stringify({ ...asked, key: '' }),
    JSON.stringify({ ...asked, nonce: 'a b' }),
    JSON.stringify({ ...asked, to: 7 }),
  ])('F23 says what is wrong with %s', async (body) => {
    const { gateway, federation } = await start();
    const end = await ServerEnd.connect(gateway.url);
    expect((await end.request('VERIFY', '*', { body })).status).toBe(400);
    expect(federation.verified).toEqual([]);
  });

  it('F63 is held to a rate per address', async () => {
    const { gateway, federation } = await start({ limits: { verifyRate: { perSecond: 0.001, burst: 2 } } });
    const end = await ServerEnd.connect(gateway.url);
    const statuses: number[] = [];
    for (let count = 0; count < 4; count++) {
      statuses.push((await end.request('VERIFY', '*', { body: JSON.stringify(asked) })).status);
    }
    expect(statuses).toEqual([200, 200, 429, 429]);
    expect(federation.verified).toHaveLength(2);
  });
});

describe.runIf(authorityInstalled())('a TLS certificate of a server', () => {
  const TRUSTED = readFileSync(CERTIFICATE, 'utf8');

  async function startAsking(environment: Record<string, string>): Promise<{
    readonly gateway: TestGateway;
    readonly federation: FederationStandIn;
  }> {
    return start({ environment: { FOSP_TLS_CERT: CERTIFICATE, FOSP_TLS_KEY: KEY, ...environment } });
  }

  it('F63 proves the domains in it, where an authority that is believed vouches for it', async () => {
    await using authority = await startTestAuthority();
    await using stranger = await startTestAuthority();
    const { gateway, federation } = await startAsking({
      FOSP_TLS_CLIENT_CERTIFICATES: 'on',
      FOSP_FEDERATION_CA: authority.certFile,
    });
    const ofRealworld = await authority.issue(REALWORLD, 'other.lit');
    for (const identity of [
      ofRealworld,
      await authority.issue('elsewhere.lit'),
      await authority.issue('*.lit'),
      await stranger.issue(REALWORLD),
      undefined,
    ]) {
      const wire = { trusted: TRUSTED, ...(identity === undefined ? {} : { identity }) };
      await ServerEnd.link(gateway.secureUrl, { wire });
    }
    expect(federation.admitted.map(({ certificate }) => certificate)).toEqual([
      REALWORLD,
      ...Array.from({ length: 4 }, () => undefined),
    ]);
  });

  it('F63 is not asked for unless the configuration says so', async () => {
    await using authority = await startTestAuthority();
    const { gateway, federation } = await startAsking({ FOSP_FEDERATION_CA: authority.certFile });
    const wire = { trusted: TRUSTED, identity: await authority.issue(REALWORLD) };
    await ServerEnd.link(gateway.secureUrl, { wire });
    expect(federation.admitted).toHaveLength(1);
    expect(federation.admitted[0]).not.toHaveProperty('certificate');
  });
});
