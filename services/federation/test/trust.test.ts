import { writeFile } from 'node:fs/promises';
import { FEDERATION } from '@fosp/bus';
import { authorityInstalled, dnsInstalled, startBrokenDns, startDns, startTestAuthority } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { ALICE, Federation, keyOf, REALWORLD, SISTER } from './harness.ts';
import { TestPeer, until } from './test-peer.ts';

const NONCE = { from: REALWORLD, to: 'wonderland.lit', nonce: 'n0nce' };

describe('a server that says which domain it is of', () => {
  it('F63 is believed by its address, if that is one of the domain’s servers', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    await expect(federation.admit({ address: '127.0.0.1' })).resolves.toBeDefined();
    await expect(federation.admit({ address: '::ffff:127.0.0.1' })).resolves.toBeDefined();
    expect(peer.all).toHaveLength(0);
  });

  it('F64 is not believed where it proves nothing, and told what was tried', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    await expect(federation.admit({ address: '127.0.0.2' })).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringMatching(/127\.0\.0\.2.*no certificate.*no key/),
    });
    await expect(federation.admit({ address: '', certificate: 'other.example' })).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('load balancer'),
    });
    expect(await federation.metric('fosp_federation_claims_total{result="not-proven"}')).toBe(2);
  });

  it('F63 is believed by a certificate for the domain, which was checked', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    const claim = { address: '127.0.0.2', certificate: `other.example,${REALWORLD}` };
    await expect(federation.admit(claim)).resolves.toBeDefined();
  });

  it('F63 is believed by a key, if the domain’s own servers say that it is theirs', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    const claim = { address: '127.0.0.2', key: keyOf(NONCE), nonce: NONCE.nonce };
    const admitted = federation.admit(claim);
    const link = await peer.link();
    const question = await link.next();
    expect(question).toMatchObject({ type: 'VERIFY', words: ['*', expect.any(String)] });
    expect(JSON.parse(question.body.toString())).toEqual({ ...NONCE, key: claim.key });
    link.answer(question, { status: 200 });
    await expect(admitted).resolves.toBeDefined();
    expect(await link.wire.closed).toMatchObject({ code: 1000 });
  });

  it.each([
    [403, 'forbidden'],
    [400, 'forbidden'],
    [503, 'unreachable'],
  ])('F64 is not believed where they answer %i', async (status, code) => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    const admitted = federation.admit({ address: '127.0.0.2', key: 'forged', nonce: NONCE.nonce });
    const link = await peer.link();
    link.answer(await link.next(), { status });
    await expect(admitted).rejects.toMatchObject({ code });
  });

  it('is told with 504 where it could not be found out', async () => {
    await using peer = await TestPeer.start({ greet: () => undefined });
    await using federation = await Federation.start({ peer, limits: { greetingSeconds: 0.3 } });
    const claim = { address: '127.0.0.2', key: 'a key', nonce: NONCE.nonce };
    await expect(federation.admit(claim)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('could not be found out'),
    });
    expect(await federation.metric('fosp_federation_claims_total{result="unknown"}')).toBe(1);
  });

  it('F64 is not believed, whatever key it gives, for a domain that has no server', async () => {
    await using federation = await Federation.start();
    const claim = { domain: '192.0.2.1', address: '127.0.0.2', key: 'a key', nonce: NONCE.nonce };
    await expect(federation.admit(claim)).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('has no server'),
    });
  });

  it('F64 cannot be one of ours, nor speak to a domain that is not ours', async () => {
    await using federation = await Federation.start();
    await expect(federation.admit({ domain: 'Wonderland.lit' })).rejects.toMatchObject({ code: 'forbidden' });
    await expect(federation.admit({ to: 'other.example' })).rejects.toMatchObject({ code: 'wrong-server' });
    await expect(federation.admit({ domain: 'no domain' })).rejects.toMatchObject({ code: 'malformed' });
  });

  it('has us ask its domain again and again for nobody', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer, limits: { dialBackRate: { perSecond: 0.001, burst: 2 } } });
    const claim = (address: string) => federation.admit({ address, key: 'forged', nonce: NONCE.nonce });
    const refuse = async () => {
      const link = await peer.link();
      link.answer(await link.next(), { status: 403 });
    };
    for (const address of ['127.0.0.2', '127.0.0.2', '127.0.0.3']) {
      const refused = expect(claim(address)).rejects.toMatchObject({ code: 'forbidden' });
      await refuse();
      await refused;
    }
    await expect(claim('127.0.0.2')).rejects.toMatchObject({ message: expect.stringContaining('too often') });
    expect(peer.all).toHaveLength(3);
  });

  it('takes its turn among those of its domain, and no room from others', async () => {
    await using peer = await TestPeer.start({ greet: () => undefined });
    const limits = { claimsPerDomain: 3, dialBacksPerDomain: 1, greetingSeconds: 0.5 };
    await using federation = await Federation.start({ peer, limits });
    const claim = { address: '127.0.0.2', key: 'a key', nonce: NONCE.nonce };
    const claims = Array.from({ length: 5 }, () =>
      federation.admit(claim).catch((error: { code: string }) => error.code),
    );
    await expect(federation.admit({ domain: 'other.example', certificate: 'other.example' })).resolves.toBeDefined();
    const codes = await Promise.all(claims);
    expect(codes.filter((code) => code === 'unavailable')).toHaveLength(2);
    expect(codes.filter((code) => code === 'unreachable')).toHaveLength(3);
  });

  it('F63 is heard though one address claims to be many domains that nobody can find', async () => {
    await using silent = await startBrokenDns('silent');
    await using peer = await TestPeer.start();
    const limits = { claims: 8, claimsPerAddress: 4, claimsOfStrangers: 6 };
    await using federation = await Federation.start({
      peer,
      limits,
      environment: { FOSP_DNS_SERVERS: silent.address },
    });
    const flood = claimAll(federation, 20, () => '8.8.4.4');
    await expect(federation.admit({ address: '127.0.0.1' })).resolves.toBeDefined();
    await federation.drain();
    expect(await flood).toEqual({ unavailable: 16, unreachable: 4 });
  });

  it('F63 is heard where it was believed before, whoever else claims what cannot be found out', async () => {
    await using silent = await startBrokenDns('silent');
    await using peer = await TestPeer.start();
    const limits = { claims: 8, claimsPerAddress: 4, claimsOfStrangers: 6 };
    await using federation = await Federation.start({
      peer,
      limits,
      environment: { FOSP_DNS_SERVERS: silent.address },
    });
    await federation.admit({ address: '127.0.0.1' });
    const flood = claimAll(federation, 20, (at) => `8.8.4.${at}`);
    await expect(federation.admit({ address: '127.0.0.1' })).resolves.toBeDefined();
    await federation.drain();
    expect(await flood).toEqual({ unavailable: 14, unreachable: 6 });
  });

  it.skipIf(!dnsInstalled())('F63 is believed though it is newer than what was looked up last', async () => {
    await using dns = await startDns({ [REALWORLD]: { A: ['127.0.0.2'] } });
    await using federation = await Federation.start({ environment: { FOSP_DNS_SERVERS: dns.address } });
    await expect(federation.admit({ address: '127.0.0.2' })).resolves.toBeDefined();
    await dns.set({ [REALWORLD]: { A: ['127.0.0.2', '127.0.0.3'] } });
    await expect(federation.admit({ address: '127.0.0.3' })).resolves.toBeDefined();
    await dns.set({ [REALWORLD]: { A: ['127.0.0.4'] } });
    // Not for everybody who asks, though.
    await expect(federation.admit({ address: '127.0.0.4' })).rejects.toMatchObject({ code: 'forbidden' });
  });
});

/** Claims of as many domains. @returns how often what was answered */
async function claimAll(federation: Federation, count: number, addressOf: (at: number) => string) {
  const codes: Record<string, number> = {};
  const claims = Array.from({ length: count }, (_, at) =>
    federation.admit({ domain: `dead-${at}.example`, address: addressOf(at) }).catch(({ code }: { code: string }) => {
      codes[code] = (codes[code] ?? 0) + 1;
    }),
  );
  await Promise.all(claims);
  return codes;
}

describe('the question whether a key is ours', () => {
  it('F63 is answered by making it again', async () => {
    await using federation = await Federation.start();
    const question = { from: 'wonderland.lit', to: REALWORLD, nonce: 'n' };
    const verify = (fields: Partial<typeof question & { key: string }>) =>
      federation.bus.call(FEDERATION.verify, { ...question, key: keyOf(question), ...fields });
    await expect(verify({})).resolves.toBeDefined();
    await expect(verify({ key: 'forged' })).rejects.toMatchObject({ code: 'forbidden' });
    await expect(verify({ nonce: 'another' })).rejects.toMatchObject({ code: 'forbidden' });
    await expect(verify({ to: 'other.example' })).rejects.toMatchObject({ code: 'forbidden' });
  });
});

describe.skipIf(!authorityInstalled())('a link with TLS', () => {
  it('F63 is made with a server that has a certificate for the domain, to which ours is shown', async () => {
    await using authority = await startTestAuthority();
    const server = await authority.issue(REALWORLD);
    const own = await authority.issue('wonderland.lit');
    await using peer = await TestPeer.start({}, { identity: server, clients: authority.cert });
    await using federation = await Federation.start({
      environment: {
        FOSP_FEDERATION_PEERS: `${REALWORLD}=wss://127.0.0.1:${peer.port},other.example=wss://127.0.0.1:${peer.port}`,
        FOSP_FEDERATION_CA: authority.certFile,
        FOSP_FEDERATION_CERT: own.certFile,
        FOSP_FEDERATION_KEY: own.keyFile,
      },
    });
    await expect(federation.forward('SELECT', { tree: 'x@other.example' })).rejects.toMatchObject({
      code: 'unreachable',
    });
    expect(peer.all).toHaveLength(0);
    const answered = federation.forward('SELECT');
    const link = await peer.link();
    link.answer(await link.next(), { status: 200, body: '{}' });
    expect(await answered).toMatchObject({ status: 200 });
    expect(link.wire.clientNames).toEqual(['DNS:wonderland.lit']);
  });

  it('F63 is made with the certificate that is in the files then, without a restart', async () => {
    await using authority = await startTestAuthority();
    const [server, first] = [await authority.issue(REALWORLD), await authority.issue('wonderland.lit')];
    const renewed = await authority.issue('wonderland.lit', 'renewed.wonderland.lit');
    await using peer = await TestPeer.start({}, { identity: server, clients: authority.cert });
    await using federation = await Federation.start({
      environment: {
        FOSP_FEDERATION_PEERS: `${REALWORLD}=wss://127.0.0.1:${peer.port}`,
        FOSP_FEDERATION_CA: authority.certFile,
        FOSP_FEDERATION_CERT: first.certFile,
        FOSP_FEDERATION_KEY: first.keyFile,
      },
      limits: { certificateSeconds: 0.02 },
    });
    await federation.bus.call(FEDERATION.adopt, { domain: REALWORLD });
    const reach = () => federation.bus.askAt(FEDERATION.reach, REALWORLD, { user: ALICE, tree: SISTER });
    await reach();
    const link = await peer.link();
    expect(link.wire.clientNames).toEqual(['DNS:wonderland.lit']);

    const told = (text: string) => federation.lines.some(({ msg }) => String(msg).includes(text));
    await writeFile(first.certFile, renewed.cert);
    await until(() => told('the former go on'), 'that key and certificate do not fit is told');
    await writeFile(first.keyFile, renewed.key);
    await until(() => told('was renewed'), 'the certificate is renewed');
    link.wire.close();
    await until(async () => {
      await reach();
      return peer.all.length > 1;
    }, 'a new link');
    expect((await peer.link()).wire.clientNames).toEqual(['DNS:wonderland.lit', 'DNS:renewed.wonderland.lit']);
  });
});
