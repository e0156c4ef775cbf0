import { createServer, type Server } from 'node:net';
import {
  authorityInstalled,
  type DnsRecords,
  dnsInstalled,
  startDns,
  startTestAuthority,
  type TestAuthority,
} from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readWellKnown } from '../../src/discovery/well-known.ts';
import { type SiteAnswer, startDiscovery, startSite } from './harness.ts';

const DOCUMENT = { versions: ['0.1'], domains: ['wonderland.lit', 'realworld.lit'], wsPort: 7337, wssPort: 7338 };
const RECORDS: DnsRecords = { 'realworld.lit': { A: ['127.0.0.1'] } };
const privateNetworks = ['127.0.0.0/8'];

describe('the document of a domain', () => {
  it.each([
    [DOCUMENT, { wsPort: 7337, wssPort: 7338 }],
    [{ domains: ['realworld.lit'], wsPort: 7337 }, { wsPort: 7337 }],
    [{ domains: ['RealWorld.lit.'], wssPort: 7338, else: 1 }, { wssPort: 7338 }],
    [{ domains: [1, null, '', 'realworld.lit'] }, {}],
    [{ domains: ['realworld.lit'], wsPort: 0, wssPort: 65_536 }, {}],
    [{ domains: ['realworld.lit'], wsPort: '7337', wssPort: 1.5 }, {}],
    [{ domains: ['wonderland.lit'], wssPort: 7338 }, undefined],
    [{ domains: 'realworld.lit', wssPort: 7338 }, undefined],
    [{ wssPort: 7338 }, undefined],
    [[], undefined],
    [null, undefined],
    ['realworld.lit', undefined],
  ])('F62 %j names the ports %j', (document, expected) => {
    expect(readWellKnown(JSON.stringify(document), 'realworld.lit')).toEqual(expected);
  });

  it('F62 is none where it is no JSON', () => {
    expect(readWellKnown('<html>', 'realworld.lit')).toBeUndefined();
  });
});

describe.skipIf(!dnsInstalled() || !authorityInstalled())('asking a domain for its document', () => {
  let authority: TestAuthority;
  beforeAll(async () => {
    authority = await startTestAuthority();
  });
  afterAll(async () => {
    await authority[Symbol.asyncDispose]();
  });

  /** The URLs where the domain is dialled, where its web server answers so. */
  async function dialled(answer: SiteAnswer | undefined, { plain = false, names = ['realworld.lit'] } = {}) {
    await using dns = await startDns(RECORDS);
    await using site = await startSite(await authority.issue(...names), answer);
    const options = { httpsPort: site.port, documentSeconds: answer === undefined ? 0.3 : 30, documentBytes: 2000 };
    const wanted = { dns: dns.address, privateNetworks, plain, authority: authority.cert, options };
    using here = await startDiscovery(wanted);
    const urls = (await here.discovery.find('realworld.lit')).map(({ url }) => url);
    await here.discovery.find('realworld.lit');
    return { urls, asked: site.asked, connections: site.connections };
  }

  it('F62 gives the port where its servers listen, and is done once', async () => {
    const { urls, asked } = await dialled({ body: JSON.stringify(DOCUMENT) });
    expect(urls).toEqual(['wss://realworld.lit:7338/']);
    expect(asked).toEqual(['/.well-known/fosp']);
  });

  it.each([
    [true, ['ws://realworld.lit:7337/']],
    [false, ['wss://realworld.lit:1338/']],
  ])('F62 gives one without TLS only where that is allowed: %s', async (plain, expected) => {
    const { wssPort, ...document } = DOCUMENT;
    const { urls, asked } = await dialled({ body: JSON.stringify(document) }, { plain });
    expect(urls).toEqual(expected);
    expect(asked).toHaveLength(1);
  });

  it.each<[string, SiteAnswer | undefined]>([
    ['it has none', { status: 404 }],
    ['it names other domains', { body: JSON.stringify({ ...DOCUMENT, domains: ['wonderland.lit'] }) }],
    [
      'it is elsewhere',
      { status: 302, headers: { Location: 'https://wonderland.lit/' }, body: JSON.stringify(DOCUMENT) },
    ],
    ['it is too large', { body: JSON.stringify({ ...DOCUMENT, more: 'x'.repeat(2000) }) }],
    ['it is cut off', { headers: { 'Content-Length': '4000' }, body: JSON.stringify(DOCUMENT) }],
    ['it does not come', undefined],
  ])('F62 leaves the usual port where %s', async (_, answer) => {
    const { urls, asked } = await dialled(answer);
    expect(urls).toEqual(['wss://realworld.lit:1338/']);
    expect(asked).toEqual(['/.well-known/fosp']);
  });

  it('F62 believes no certificate of another domain, or of another authority', async () => {
    const body = JSON.stringify(DOCUMENT);
    const wrongName = await dialled({ body }, { names: ['wonderland.lit', '127.0.0.1'] });
    expect(wrongName).toMatchObject({ urls: ['wss://realworld.lit:1338/'], asked: [] });
    expect(wrongName.connections).toBe(1);

    await using other = await startTestAuthority();
    await using dns = await startDns(RECORDS);
    await using site = await startSite(await other.issue('realworld.lit'), { body });
    const options = { httpsPort: site.port };
    using here = await startDiscovery({ dns: dns.address, privateNetworks, authority: authority.cert, options });
    expect(await here.discovery.find('realworld.lit')).toMatchObject([{ port: 1338 }]);
    expect(site).toMatchObject({ asked: [], connections: 1 });
  });

  it('F62 knocks at no address that is not permitted', async () => {
    const knocks: string[] = [];
    const within = await listening((address) => knocks.push(address));
    await using dns = await startDns({ 'realworld.lit': { A: ['127.0.0.1', '127.0.0.2'] } });
    const options = { httpsPort: within.port, documentSeconds: 0.5 };
    using here = await startDiscovery({ dns: dns.address, privateNetworks: ['127.0.0.2'], options });
    expect(await here.discovery.find('realworld.lit')).toMatchObject([{ addresses: ['127.0.0.2'] }]);
    using strict = await startDiscovery({ dns: dns.address, options });
    await expect(strict.discovery.find('realworld.lit')).rejects.toMatchObject({ status: 504 });
    within.server.close();
    expect(knocks).toEqual(['127.0.0.2']);
  });
});

/** On all addresses of this machine; says at which of them somebody knocked. */
async function listening(
  knocked: (address: string) => void,
): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((socket) => {
    knocked((socket.localAddress ?? '').replace('::ffff:', ''));
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  const address = server.address();
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 };
}
