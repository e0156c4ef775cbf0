import { type DnsServer, dnsInstalled, startBrokenDns, startDns } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { startDiscovery } from './harness.ts';

const options = { httpsPort: 1, documentSeconds: 0.2 };

async function timesAsked(dns: DnsServer, question: string): Promise<number> {
  return (await dns.questions()).filter((asked) => asked === question).length;
}

describe.skipIf(!dnsInstalled())('what was found of a domain', () => {
  it.each([
    ['as long as its addresses hold', 100, 100],
    ['not too short', 0, 30],
    ['not too long', 86_400, 300],
  ])('F62 is kept %s', async (_, ttl, kept) => {
    await using dns = await startDns({ 'realworld.lit': { A: ['127.0.0.9'], ttl } });
    using here = await startDiscovery({ dns: dns.address, privateNetworks: ['127.0.0.0/8'], options });
    await here.discovery.find('realworld.lit');
    await dns.set({ 'realworld.lit': { A: ['127.0.0.8'], ttl } });
    here.now = kept * 1000 - 1;
    expect(await here.discovery.find('realworld.lit')).toMatchObject([{ addresses: ['127.0.0.9'] }]);
    expect(await here.discovery.provesAddress('realworld.lit', '127.0.0.9')).toBe(true);
    expect(await timesAsked(dns, 'A realworld.lit')).toBe(1);
    here.now = kept * 1000;
    expect(await here.discovery.find('realworld.lit')).toMatchObject([{ addresses: ['127.0.0.8'] }]);
    expect(await here.discovery.provesAddress('realworld.lit', '127.0.0.9')).toBe(false);
    expect(await timesAsked(dns, 'A realworld.lit')).toBe(2);
  });

  it('F62 is looked up once for all who ask at once', async () => {
    await using dns = await startDns({ 'realworld.lit': { A: ['127.0.0.9'] } });
    using here = await startDiscovery({ dns: dns.address, privateNetworks: ['127.0.0.0/8'], options });
    const found = await Promise.all(Array.from({ length: 50 }, () => here.discovery.find('realworld.lit')));
    expect(found).toHaveLength(50);
    expect(await dns.questions()).toHaveLength(4);
  });

  it('F62 is looked up anew when told that it proved wrong', async () => {
    await using dns = await startDns({ 'realworld.lit': { A: ['127.0.0.9'] } });
    using here = await startDiscovery({ dns: dns.address, privateNetworks: ['127.0.0.0/8'], options });
    await here.discovery.find('realworld.lit');
    await dns.set({ 'realworld.lit': { A: ['127.0.0.8'] } });
    here.discovery.forget('RealWorld.lit');
    expect(await here.discovery.find('realworld.lit')).toMatchObject([{ addresses: ['127.0.0.8'] }]);
  });

  it('F62 is also that there is nothing, for a while', async () => {
    await using dns = await startDns({});
    using here = await startDiscovery({ dns: dns.address, options });
    await expect(here.discovery.find('realworld.lit')).rejects.toMatchObject({ status: 504 });
    await dns.set({ 'realworld.lit': { A: ['8.8.8.8'] } });
    here.now = 59_999;
    expect(await here.discovery.provesAddress('realworld.lit', '8.8.8.8')).toBe(false);
    here.now = 60_000;
    expect(await here.discovery.provesAddress('realworld.lit', '8.8.8.8')).toBe(true);
    expect(await timesAsked(dns, 'A realworld.lit')).toBe(2);
  });

  it('F62 is also that it could not be found out, for a short while', async () => {
    await using broken = await startBrokenDns('server failure');
    using here = await startDiscovery({ dns: broken.address, options });
    const fails = () => expect(here.discovery.find('realworld.lit')).rejects.toMatchObject({ status: 504 });
    await fails();
    const { failures } = broken;
    here.now = 4_999;
    await fails();
    expect(broken.failures).toBe(failures);
    here.now = 5_000;
    await fails();
    expect(broken.failures).toBe(2 * failures);
  });

  it('F62 is in order by chance, each time anew, and bounded', async () => {
    const targets = Array.from({ length: 20 }, (_, index) => `host-${String(index).padStart(2, '0')}.lit`);
    await using dns = await startDns({
      ...Object.fromEntries(targets.map((target, index) => [target, { A: [`8.8.4.${index}`] }])),
      '_fosp._wss._tcp.realworld.lit': { SRV: targets.map((target) => ({ target, port: 1338 })) },
    });
    using here = await startDiscovery({ dns: dns.address, options });
    const orders = new Set<string>();
    for (let asked = 0; asked < 20; asked++) {
      const places = await here.discovery.find('realworld.lit');
      expect(places.map(({ host }) => host).toSorted()).toEqual(targets.slice(0, 16));
      orders.add(places.map(({ host }) => host).join());
    }
    expect(orders.size).toBeGreaterThan(1);
  });
});

describe('lookups of many domains at once', () => {
  it('F62 are bounded, and keep nobody from a fixed address', async () => {
    await using silent = await startBrokenDns('silent');
    const bounds = { ...options, lookupsAtOnce: 2, lookupsReserved: 0, lookupsWaiting: 2 };
    const peers = 'fixed.lit=ws://127.0.0.1:1';
    using here = await startDiscovery({ dns: silent.address, peers, lookupSeconds: 0.3, options: bounds });
    const dead = Array.from({ length: 6 }, (_, index) => here.discovery.find(`dead-${index}.lit`));
    expect(await here.discovery.find('fixed.lit')).toHaveLength(1);
    const results = await Promise.allSettled(dead);
    const statuses = results.map((result) => (result.status === 'rejected' ? result.reason.status : undefined));
    expect(statuses.toSorted()).toEqual([503, 503, 504, 504, 504, 504]);
  });
});
