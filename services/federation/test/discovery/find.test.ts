import { dnsInstalled, startBrokenDns, startDns } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { startDiscovery } from './harness.ts';

/** Nobody listens there: no well-known document. */
const options = { httpsPort: 1 };

const SRV = '_fosp._wss._tcp.realworld.lit';

describe.skipIf(!dnsInstalled())('where to dial', () => {
  it('F62 is the configured address, whatever DNS says', async () => {
    await using dns = await startDns({
      'realworld.lit': { A: ['1.2.3.4'] },
      'gate.internal': { A: ['10.0.0.7'], AAAA: ['fd00::7'] },
      [SRV]: { SRV: [{ target: 'realworld.lit', port: 7 }] },
    });
    const peers =
      'realworld.lit=wss://127.0.0.1:2338,realworld.lit=ws://[::1]:2337/fosp,named.lit=ws://gate.internal:9';
    using here = await startDiscovery({ dns: dns.address, peers, options });

    const common = { tlsName: 'realworld.lit' };
    expect(await here.discovery.find('realworld.lit')).toEqual([
      {
        ...common,
        url: 'wss://realworld.lit:2338/',
        secure: true,
        port: 2338,
        host: '127.0.0.1',
        addresses: ['127.0.0.1'],
      },
      { ...common, url: 'ws://realworld.lit:2337/fosp', secure: false, port: 2337, host: '::1', addresses: ['::1'] },
    ]);
    expect(await dns.questions()).toEqual([]);
    expect(await here.discovery.find('named.lit')).toEqual([
      expect.objectContaining({ url: 'ws://named.lit:9/', host: 'gate.internal', addresses: ['fd00::7', '10.0.0.7'] }),
    ]);
    expect((await dns.questions()).toSorted()).toEqual(['A gate.internal', 'AAAA gate.internal']);
  });

  it('F69 is what SRV says, in its order, and nothing else is asked for', async () => {
    await using dns = await startDns({
      'realworld.lit': { A: ['1.2.3.4'] },
      'one.lit': { A: ['8.8.8.1', '8.8.8.2'], AAAA: ['2600::1'] },
      'two.lit': { A: ['8.8.8.3'] },
      [SRV]: {
        SRV: [
          { target: 'two.lit', port: 443, priority: 20 },
          { target: 'gone.lit', port: 443, priority: 0 },
          { target: 'one.lit', port: 1338, priority: 10 },
        ],
      },
    });
    using here = await startDiscovery({ dns: dns.address, options });

    const [first, second, ...others] = await here.discovery.find('realworld.lit');
    expect(first).toMatchObject({
      url: 'wss://realworld.lit:1338/',
      secure: true,
      host: 'one.lit',
      tlsName: 'realworld.lit',
    });
    expect(first?.addresses[0]).toBe('2600::1');
    expect(first?.addresses.toSorted()).toEqual(['2600::1', '8.8.8.1', '8.8.8.2']);
    expect(second).toMatchObject({ url: 'wss://realworld.lit:443/', host: 'two.lit', addresses: ['8.8.8.3'] });
    expect(others).toEqual([]);
    expect(await dns.questions()).not.toContain('A realworld.lit');
  });

  it('F69 is nowhere where SRV says so, or its servers do not exist', async () => {
    await using dns = await startDns({
      'realworld.lit': { A: ['1.2.3.4'] },
      [SRV]: { SRV: [{ target: '.', port: 0 }] },
      'lost.lit': { A: ['1.2.3.4'] },
      '_fosp._wss._tcp.lost.lit': { SRV: [{ target: 'absent.lit', port: 1338 }] },
    });
    using here = await startDiscovery({ dns: dns.address, options });
    await expect(here.discovery.find('realworld.lit')).rejects.toMatchObject({
      status: 504,
      message: 'realworld.lit cannot be reached: it says that it has no server.',
    });
    await expect(here.discovery.find('lost.lit')).rejects.toMatchObject({ status: 504 });
    expect(await here.discovery.provesAddress('realworld.lit', '1.2.3.4')).toBe(false);
    expect(await here.discovery.provesAddress('lost.lit', '1.2.3.4')).toBe(false);
  });

  it('F69 is without TLS only where that is allowed', async () => {
    const ws = { SRV: [{ target: 'one.lit', port: 1337 }] };
    await using dns = await startDns({
      'one.lit': { A: ['8.8.8.1'] },
      'realworld.lit': { A: ['1.2.3.4'] },
      '_fosp._ws._tcp.realworld.lit': ws,
      'half.lit': {},
      '_fosp._wss._tcp.half.lit': { SRV: [{ target: '.', port: 0 }] },
      '_fosp._ws._tcp.half.lit': ws,
    });
    using strict = await startDiscovery({ dns: dns.address, options });
    for (const domain of ['realworld.lit', 'half.lit']) {
      await expect(strict.discovery.find(domain)).rejects.toMatchObject({
        status: 504,
        cause: { message: expect.stringContaining('FOSP_FEDERATION_PLAIN') },
      });
    }
    // Nor is it at the addresses of its name, for which it did not speak.
    expect(await strict.discovery.provesAddress('realworld.lit', '1.2.3.4')).toBe(false);
    expect(await dns.questions()).not.toContain('A realworld.lit');

    using lax = await startDiscovery({ dns: dns.address, plain: true, options });
    expect(await lax.discovery.find('realworld.lit')).toMatchObject([
      { url: 'ws://realworld.lit:1337/', secure: false, addresses: ['8.8.8.1'] },
    ]);
    expect(await lax.discovery.find('half.lit')).toMatchObject([{ url: 'ws://half.lit:1337/', secure: false }]);
  });

  it('F62 is the domain itself where nothing else is said, on the usual ports', async () => {
    await using dns = await startDns({
      'realworld.lit': { A: ['1.2.3.4'], AAAA: ['2600::2'] },
      'xn--bcher-kva.example': { A: ['1.2.3.5'] },
    });
    using strict = await startDiscovery({ dns: dns.address, options: { ...options, documentSeconds: 0.2 } });
    expect(await strict.discovery.find('RealWorld.lit.')).toEqual([
      {
        url: 'wss://realworld.lit:1338/',
        secure: true,
        port: 1338,
        tlsName: 'realworld.lit',
        host: 'realworld.lit',
        addresses: ['2600::2', '1.2.3.4'],
      },
    ]);
    expect(await strict.discovery.find('Bücher.example')).toMatchObject([
      { url: 'wss://xn--bcher-kva.example:1338/', addresses: ['1.2.3.5'] },
    ]);
    using lax = await startDiscovery({ dns: dns.address, plain: true, options: { ...options, documentSeconds: 0.2 } });
    expect(await lax.discovery.find('realworld.lit')).toMatchObject([
      { url: 'wss://realworld.lit:1338/' },
      { url: 'ws://realworld.lit:1337/' },
    ]);
  });

  it('F62 is nowhere for a name that nobody has, an address in place of a name, and our own', async () => {
    await using dns = await startDns({ 'empty.lit': {} });
    using here = await startDiscovery({ dns: dns.address, options });
    for (const domain of ['absent.lit', 'empty.lit', '127.0.0.1', '2130706433']) {
      await expect(here.discovery.find(domain)).rejects.toMatchObject({
        status: 504,
        message: `${domain} cannot be reached: no server of it was found.`,
      });
    }
    await expect(here.discovery.find('Wonderland.lit')).rejects.toMatchObject({ status: 421 });
    await expect(here.discovery.find('no domain')).rejects.toMatchObject({ status: 400 });
    expect((await dns.questions()).join()).not.toMatch(/127|2130706433|wonderland/);
  });
});

describe.skipIf(!dnsInstalled())('a lookup that fails', () => {
  const records = {
    'realworld.lit': { A: ['1.2.3.4'], AAAA: ['2600::2'] },
    'one.lit': { A: ['8.8.8.1'] },
    'two.lit': { A: ['8.8.8.2'] },
    'many.lit': {},
    '_fosp._wss._tcp.many.lit': {
      SRV: [
        { target: 'one.lit', port: 1338 },
        { target: 'two.lit', port: 1338 },
      ],
    },
  };
  const failed = { status: 504, message: 'realworld.lit cannot be reached: looking up its servers failed.' };

  it.each([
    ['server failure', 'SRV _fosp._wss._tcp.realworld.lit'],
    ['refused', 'SRV _fosp._wss._tcp.realworld.lit'],
    ['silent', 'SRV _fosp._wss._tcp.realworld.lit'],
    ['server failure', 'SRV _fosp._ws._tcp.realworld.lit'],
  ] as const)('F69 leads nowhere, not on to the next step: %s to %s', async (answer, question) => {
    await using dns = await startDns(records);
    await using broken = await startBrokenDns(answer, { only: (asked) => asked === question, otherwise: dns.port });
    using here = await startDiscovery({ dns: broken.address, plain: true, lookupSeconds: 0.5, options });
    await expect(here.discovery.find('realworld.lit')).rejects.toMatchObject(failed);
    await expect(here.discovery.provesAddress('realworld.lit', '1.2.3.4')).rejects.toMatchObject(failed);
    expect(broken.failures).toBeGreaterThan(0);
    expect(await dns.questions()).not.toContain('A realworld.lit');
  });

  it('F62 for one family leaves what the other has, and proves or disproves nothing more', async () => {
    await using dns = await startDns(records);
    const only = (asked: string) => asked.startsWith('AAAA ');
    await using broken = await startBrokenDns('server failure', { only, otherwise: dns.port });
    using here = await startDiscovery({ dns: broken.address, options: { ...options, documentSeconds: 0.2 } });
    expect(await here.discovery.find('realworld.lit')).toMatchObject([{ addresses: ['1.2.3.4'] }]);
    expect(await here.discovery.provesAddress('realworld.lit', '1.2.3.4')).toBe(true);
    await expect(here.discovery.provesAddress('realworld.lit', '2600::2')).rejects.toMatchObject(failed);
    expect(broken.failures).toBeGreaterThan(0);
  });

  it('F69 for one of several servers leaves the others', async () => {
    await using dns = await startDns(records);
    const only = (asked: string) => asked.endsWith(' two.lit');
    await using broken = await startBrokenDns('server failure', { only, otherwise: dns.port });
    using here = await startDiscovery({ dns: broken.address, options });
    expect(await here.discovery.find('many.lit')).toMatchObject([{ addresses: ['8.8.8.1'] }]);
    await expect(here.discovery.provesAddress('many.lit', '8.8.8.2')).rejects.toMatchObject({ status: 504 });
  });

  it('F62 takes no longer than it may, and tells clients no more than that', async () => {
    await using silent = await startBrokenDns('silent');
    using here = await startDiscovery({ dns: silent.address, lookupSeconds: 0.2, options });
    await expect(here.discovery.find('realworld.lit')).rejects.toMatchObject(failed);
    expect(here.lines.join('\n')).toContain('"result":"failed"');
  });
});
