import { once } from 'node:events';
import { connect } from 'node:net';
import { dnsInstalled, startDns } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { pinnedLookup } from '../../src/discovery/pinned-lookup.ts';
import { startDiscovery } from './harness.ts';

const options = { httpsPort: 1, documentSeconds: 0.2 };
const SRV = '_fosp._wss._tcp.evil.lit';

describe.skipIf(!dnsInstalled())('addresses that are not public', () => {
  it.each([
    ['the machine’s own', { 'evil.lit': { A: ['127.0.0.1'], AAAA: ['::1'] } }],
    ['the metadata of clouds', { 'evil.lit': { A: ['169.254.169.254'], AAAA: ['fd00:ec2::254'] } }],
    ['in IPv6’s clothes', { 'evil.lit': { AAAA: ['::ffff:10.0.0.1', '64:ff9b::a00:1', '2002:a00:1::'] } }],
    ['by SRV', { 'local.evil.lit': { A: ['10.0.0.1'] }, [SRV]: { SRV: [{ target: 'local.evil.lit', port: 25 }] } }],
    ['as the target of SRV', { [SRV]: { SRV: [{ target: '127.0.0.1', port: 1338 }] } }],
    ['as another number', { [SRV]: { SRV: [{ target: '2130706433', port: 1338 }] } }],
  ])('F62 are not dialled, and prove nothing: %s', async (_, records) => {
    await using dns = await startDns({ 'evil.lit': {}, ...records });
    using here = await startDiscovery({ dns: dns.address, options });
    // Nothing that would tell what there is within.
    const message = 'evil.lit cannot be reached: no server of it was found.';
    await expect(here.discovery.find('evil.lit')).rejects.toMatchObject({ status: 504, message });
    for (const address of ['127.0.0.1', '::1', '169.254.169.254', '10.0.0.1', '::ffff:10.0.0.1']) {
      expect(await here.discovery.provesAddress('evil.lit', address)).toBe(false);
    }
    expect(await dns.questions()).toContain('SRV _fosp._wss._tcp.evil.lit');
  });

  it('F62 are left out where there are others, and the log says so', async () => {
    await using dns = await startDns({ 'half.lit': { A: ['10.0.0.1', '8.8.8.8'] } });
    using here = await startDiscovery({ dns: dns.address, options });
    expect(await here.discovery.find('half.lit')).toMatchObject([{ addresses: ['8.8.8.8'] }]);
    const [line] = here.lines.filter((each) => each.includes('FOSP_FEDERATION_PRIVATE'));
    expect(JSON.parse(line ?? '{}')).toMatchObject({ domain: 'half.lit', addresses: ['10.0.0.1'] });
  });

  it('F62 are dialled, and believed, where the operator lists their network', async () => {
    await using dns = await startDns({ 'near.lit': { A: ['10.1.2.3', '10.2.0.1'], AAAA: ['fd00::1'] } });
    using here = await startDiscovery({ dns: dns.address, privateNetworks: ['10.1.0.0/16', 'fd00::/16'], options });
    expect(await here.discovery.find('near.lit')).toMatchObject([{ addresses: ['fd00::1', '10.1.2.3'] }]);
    expect(await here.discovery.provesAddress('near.lit', '10.1.2.3')).toBe(true);
    expect(await here.discovery.provesAddress('near.lit', '10.2.0.1')).toBe(false);
  });

  it('F62 are not dialled by what is looked up a second time', async () => {
    await using dns = await startDns({ 'rebinding.lit': { A: ['127.0.0.2'] } });
    using here = await startDiscovery({ dns: dns.address, privateNetworks: ['127.0.0.2'], options });
    const [place] = await here.discovery.find('rebinding.lit');
    await dns.set({ 'rebinding.lit': { A: ['127.0.0.1'] } });
    const dialled: string[] = [];
    const socket = connect({ host: 'rebinding.lit', port: 1, lookup: pinnedLookup(place?.addresses ?? []) });
    socket.on('connectionAttempt', (address: string) => dialled.push(address));
    await expect(once(socket, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(dialled).toEqual(['127.0.0.2']);
  });
});

describe.skipIf(!dnsInstalled())('whose address it is', () => {
  const records = {
    'realworld.lit': { A: ['8.8.8.1', '8.8.8.2'], AAAA: ['2600::1'] },
    'srv.lit': { A: ['8.8.8.9'] },
    'one.lit': { A: ['8.8.8.1'] },
    'two.lit': { AAAA: ['2600::2'] },
    '_fosp._wss._tcp.srv.lit': {
      SRV: [
        { target: 'one.lit', port: 1338, priority: 1 },
        { target: 'two.lit', port: 1338, priority: 2 },
      ],
    },
    'wonderland.lit': { A: ['8.8.8.8'] },
  };

  it.each([
    ['realworld.lit', '8.8.8.1', true],
    ['RealWorld.lit', '8.8.8.2', true],
    ['realworld.lit', '::ffff:8.8.8.2', true],
    ['realworld.lit', '::ffff:808:802', true],
    ['realworld.lit', '2600:0:0::1', true],
    ['realworld.lit', '8.8.8.3', false],
    ['realworld.lit', '2600::2', false],
    ['realworld.lit', '127.0.0.1', false],
    ['realworld.lit', '', false],
    ['srv.lit', '8.8.8.1', true],
    ['srv.lit', '2600::2', true],
    // The first step that has an answer decides, for trust too.
    ['srv.lit', '8.8.8.9', false],
    ['absent.lit', '8.8.8.1', false],
    ['wonderland.lit', '8.8.8.8', false],
    ['configured.lit', '8.8.8.7', true],
    ['configured.lit', '127.0.0.1', false],
    ['configured.lit', '127.0.0.2', true],
    ['configured.lit', '10.0.0.1', false],
  ])('F63 F64 %s claims to be at %s: %s', async (domain, address, expected) => {
    await using dns = await startDns(records);
    const peers = ['8.8.8.7', '127.0.0.1', '127.0.0.2'].map((host) => `configured.lit=ws://${host}`).join();
    using here = await startDiscovery({ dns: dns.address, peers, privateNetworks: ['127.0.0.2'], options });
    expect(await here.discovery.provesAddress(domain, address)).toBe(expected);
  });
});

describe('a lookup of what is known already', () => {
  it.each([
    [
      { all: true },
      [
        { address: '::1', family: 6 },
        { address: '127.0.0.1', family: 4 },
      ],
    ],
    [{ all: true, family: 4 }, [{ address: '127.0.0.1', family: 4 }]],
    [{ all: true, family: 'IPv6' as const }, [{ address: '::1', family: 6 }]],
    [{}, '::1'],
    [{ family: 4 }, '127.0.0.1'],
  ])('F62 answers %j', async (wanted, expected) => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    pinnedLookup(['::1', '127.0.0.1'])('any.lit', wanted, (error, found) => (error ? reject(error) : resolve(found)));
    expect(await promise).toEqual(expected);
  });

  it('F62 fails where there is none of the family', async () => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    pinnedLookup(['::1'])('any.lit', { family: 4 }, (error, found) => (error ? reject(error) : resolve(found)));
    await expect(promise).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });
});
