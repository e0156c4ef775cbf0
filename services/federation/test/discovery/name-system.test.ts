import { dnsInstalled, startBrokenDns, startDns } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { NameSystem } from '../../src/discovery/name-system.ts';

const patience = 300;

describe.skipIf(!dnsInstalled())('what DNS says', () => {
  it('F62 F69 is addresses of both families with their time, and services', async () => {
    await using dns = await startDns({
      'realworld.lit': { A: ['192.0.2.1', '192.0.2.2'], AAAA: ['2001:db8::1'], ttl: 7 },
      'other.lit': { CNAME: 'realworld.lit' },
      '_fosp._wss._tcp.realworld.lit': {
        SRV: [
          { target: 'One.realworld.lit', port: 1338, priority: 10, weight: 5 },
          { target: 'two.realworld.lit', port: 443 },
        ],
      },
      '_fosp._wss._tcp.none.lit': { SRV: [{ target: '.', port: 0 }] },
    });
    const names = new NameSystem({ servers: [dns.address], patience });

    const found = await names.addresses('realworld.lit');
    expect(found.addresses.toSorted()).toEqual(['192.0.2.1', '192.0.2.2', '2001:db8::1']);
    expect(found.seconds).toBe(7);
    expect(found.failure).toBeUndefined();
    expect((await names.addresses('other.lit')).addresses).toHaveLength(3);
    const services = await names.services('_fosp._wss._tcp.realworld.lit');
    expect(services.toSorted((a, b) => a.port - b.port)).toEqual([
      { target: 'two.realworld.lit', port: 443, priority: 0, weight: 0 },
      { target: 'one.realworld.lit', port: 1338, priority: 10, weight: 5 },
    ]);
    expect(await names.services('_fosp._wss._tcp.none.lit')).toMatchObject([{ target: '' }]);
    names.close();
  });

  it('F62 F69 is empty where there is no such name, no such record, or no name can be so long', async () => {
    await using dns = await startDns({ 'empty.lit': {}, 'v6.lit': { AAAA: ['2001:db8::1'] } });
    const names = new NameSystem({ servers: [dns.address], patience });
    const long = Array.from({ length: 4 }, () => 'a'.repeat(60)).join('.');

    for (const name of ['empty.lit', 'absent.lit']) {
      expect((await names.addresses(name)).addresses).toEqual([]);
      expect(await names.services(name)).toEqual([]);
    }
    expect(await names.services(`_fosp._wss._tcp.${long}`)).toEqual([]);
    expect((await names.addresses('v6.lit')).addresses).toEqual(['2001:db8::1']);
    expect(await dns.questions()).toContain('AAAA absent.lit');
    names.close();
  });

  it('F62 comes from the next server where one fails, which then is asked first', async () => {
    await using dns = await startDns({ 'realworld.lit': { A: ['192.0.2.1'] } });
    await using failing = await startBrokenDns('server failure');
    await using refusing = await startBrokenDns('refused');
    await using silent = await startBrokenDns('silent');
    const servers = [failing.address, refusing.address, silent.address, dns.address];
    const names = new NameSystem({ servers, patience });

    expect((await names.addresses('realworld.lit')).addresses).toEqual(['192.0.2.1']);
    const asked = [failing, refusing, silent].map(({ failures }) => failures);
    expect(Math.min(...asked)).toBeGreaterThan(0);
    expect((await names.addresses('realworld.lit')).addresses).toEqual(['192.0.2.1']);
    expect([failing, refusing, silent].map(({ failures }) => failures)).toEqual(asked);
    names.close();
  });

  it('F62 is nothing at all where it stops answering, until it does again', async () => {
    await using dns = await startDns({ 'realworld.lit': { A: ['192.0.2.1'] } });
    const names = new NameSystem({ servers: [dns.address], patience });
    dns.pause();
    await expect(names.addresses('realworld.lit')).rejects.toMatchObject({ code: 'ETIMEOUT' });
    dns.resume();
    await expect.poll(() => names.addresses('realworld.lit')).toMatchObject({ addresses: ['192.0.2.1'] });
    names.close();
  });
});

describe('a DNS server that fails', () => {
  it.each(['server failure', 'refused', 'format error', 'silent'] as const)(
    'F62 is a failure, not an answer: %s',
    async (answer) => {
      await using broken = await startBrokenDns(answer);
      const names = new NameSystem({ servers: [broken.address], patience });
      await expect(names.addresses('realworld.lit')).rejects.toThrow();
      await expect(names.services('_fosp._wss._tcp.realworld.lit')).rejects.toThrow();
      expect(broken.failures).toBeGreaterThanOrEqual(4);
      names.close();
    },
  );

  it('F62 ends what is asked when it is closed', async () => {
    await using broken = await startBrokenDns('silent');
    const names = new NameSystem({ servers: [broken.address], patience: 60_000 });
    const asked = names.addresses('realworld.lit');
    names.close();
    await expect(asked).rejects.toMatchObject({ code: 'ECANCELLED' });
  });
});
