import { dnsInstalled, startDns } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { BOB, Federation, REALWORLD } from '../harness.ts';
import { TestPeer, until } from '../test-peer.ts';

const UNREACHABLE = { code: 'unreachable', status: 504 };
const FAILED = { code: 'bad-gateway', status: 502 };

describe('another domain that does wrong', () => {
  it.each([
    ['accepts, and says nothing', { greet: () => undefined }],
    ['does not answer AUTHENTICATE', { logIn: () => undefined }],
    ['refuses the version', { greet: () => ({ status: 505, body: '{"message":"old"}' }) }],
    ['does not believe us', { logIn: () => ({ status: 403, body: '{"message":"who?"}' }) }],
    ['answers CONNECT with garbage', { greet: () => ({ status: 999 }) }],
  ])('is unreachable, and nothing more, where it %s', async (_, behaviour) => {
    await using peer = await TestPeer.start(behaviour);
    const limits = { greetingSeconds: 0.3, loginSeconds: 0.3 };
    await using federation = await Federation.start({ peer, limits });
    const error = await federation.forward('SELECT').catch((reason: Error) => reason);
    expect(error).toMatchObject(UNREACHABLE);
    expect(String(error)).not.toContain('127.0.0.1');
    expect(await federation.metric('fosp_federation_dials_total{result="failed"}')).toBe(1);
  });

  it('is dialled no more often than the pauses allow, however many ask', async () => {
    await using peer = await TestPeer.start({ logIn: () => ({ status: 403 }) });
    await using federation = await Federation.start({ peer, limits: { pauses: { first: 60_000, longest: 60_000 } } });
    await expect(federation.forward('SELECT')).rejects.toMatchObject(UNREACHABLE);
    const answers = Array.from({ length: 50 }, () => federation.forward('SELECT').catch((error: unknown) => error));
    for (const answer of await Promise.all(answers)) {
      expect(answer).toMatchObject({ ...UNREACHABLE, headers: { 'Retry-After': expect.stringMatching(/^\d\d$/) } });
    }
    expect(peer.all).toHaveLength(1);
    // A sign of life ends the pause.
    peer.behaviour = { ...peer.behaviour, logIn: () => ({ status: 200 }) };
    federation.bus.nudge(REALWORLD, 'queued');
    await expect(federation.forward('SELECT')).rejects.toMatchObject(UNREACHABLE);
    federation.bus.nudge(REALWORLD, 'heard');
    await new Promise(setImmediate);
    const answered = federation.forward('SELECT');
    await peer.link();
    const link = await peer.link();
    link.answer(await link.next(), { status: 200, body: '{}' });
    expect(await answered).toMatchObject({ status: 200 });
  });

  it('fails what is under way when it goes away, repeats nothing, and gets what waited over the next link', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer, limits: { requestsPerLink: 1 } });
    const created = federation.forward('CREATE').catch((error: unknown) => error);
    const waiting = federation.forward('SELECT', { user: BOB });
    const link = await peer.link();
    expect((await link.next()).type).toBe('CREATE');
    link.wire.terminate();
    expect(await created).toMatchObject({ ...FAILED, message: expect.stringContaining('not known whether') });
    const next = await peer.link();
    const request = await next.next();
    expect(request.type).toBe('SELECT');
    next.answer(request, { status: 200, body: '{}' });
    expect(await waiting).toMatchObject({ status: 200 });
    expect(next.messages.size).toBe(0);
  });

  it('makes what waits fail with 504 when it goes away for good', async () => {
    const peer = await TestPeer.start();
    await using federation = await Federation.start({ peer, limits: { requestsPerLink: 1 } });
    const first = federation.forward('SELECT').catch((error: unknown) => error);
    const waiting = federation.forward('SELECT', { user: BOB }).catch((error: unknown) => error);
    await (await peer.link()).next();
    await peer[Symbol.asyncDispose]();
    expect(await first).toMatchObject(FAILED);
    expect(await waiting).toMatchObject(UNREACHABLE);
  });

  it('has its link closed, and another one made, where it does not answer requests', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer, limits: { requestSeconds: 4 } });
    const answered = federation.forward('SELECT').catch((error: unknown) => error);
    const link = await peer.link();
    await link.next();
    expect(await answered).toMatchObject({ ...FAILED, message: expect.stringContaining('did not answer in time') });
    expect(await link.wire.closed).toMatchObject({ code: 1008 });
    const again = federation.forward('SELECT');
    const next = await peer.link();
    next.answer(await next.next(), { status: 200, body: '{}' });
    expect(await again).toMatchObject({ status: 200 });
  });

  it('answers nobody by sequence numbers that it made up, nor by garbage', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    const answered = federation.forward('SELECT');
    const link = await peer.link();
    const request = await link.next();
    const sequence = Number(request.words[1]);
    for (const start of [
      `SUCCEEDED 200 ${sequence + 1}`,
      'SUCCEEDED 200 999999',
      'FAILED 500 0',
      'SUCCEEDED 200',
      '\u0000',
    ]) {
      link.send(start, { body: '{"data":"forged"}' });
    }
    link.wire.send(Buffer.from([0xff, 0xfe, 0x00]), { binary: true });
    link.answer(request, { status: 200, body: '{"data":"true"}' });
    expect(await answered).toMatchObject({ body: '{"data":"true"}' });
    // The second answer to the same request is none.
    link.answer(request, { status: 200, body: '{"data":"late"}' });
    const again = federation.forward('SELECT');
    let next = await link.next();
    while (next.type !== 'SELECT') {
      next = await link.next();
    }
    link.answer(next, { status: 200, body: '{"data":"again"}' });
    expect(await again).toMatchObject({ body: '{"data":"again"}' });
  });

  it('cannot fill memory by its answers', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer, limits: { answerBytes: 10_000 } });
    const large = federation.forward('SELECT');
    const link = await peer.link();
    link.answer(await link.next(), { status: 200, body: JSON.stringify({ data: 'x'.repeat(10_001) }) });
    await expect(large).rejects.toMatchObject({ ...FAILED, message: expect.stringContaining('too large') });
  });

  it('cannot fill memory by an answer without an end, which ends its link', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer, limits: { answerBytes: 10_000, requestSeconds: 1 } });
    const endless = federation.forward('SELECT').catch((error: unknown) => error);
    const link = await peer.link();
    const request = await link.next();
    link.wire.sendPart(`SUCCEEDED 200 ${request.words[1]}\r\n\r\n{"data":"`);
    for (let count = 0; count < 100; count++) {
      link.wire.sendPart('x'.repeat(1000));
    }
    expect(await endless).toMatchObject(FAILED);
    expect(await link.wire.closed).toMatchObject({ code: 1008 });
  });

  it('is left alone for a while where it closes links as soon as they are made', async () => {
    await using peer = await TestPeer.start();
    const limits = { pauses: { first: 60_000, longest: 60_000 } };
    await using federation = await Federation.start({ peer, limits });
    const first = federation.forward('SELECT').catch((error: unknown) => error);
    const link = await peer.link();
    await link.next();
    link.wire.close(1000);
    expect(await first).toMatchObject(FAILED);
    for (let count = 0; count < 5; count++) {
      await expect(federation.forward('SELECT')).rejects.toMatchObject(UNREACHABLE);
    }
    expect(peer.all).toHaveLength(1);
  });

  it('costs other domains nothing', async () => {
    await using good = await TestPeer.start();
    await using silent = await TestPeer.start({ greet: () => undefined });
    const peers = Array.from({ length: 200 }, (_, at) => `dead${at}.example=ws://127.0.0.1:${silent.port}`);
    await using federation = await Federation.start({
      environment: { FOSP_FEDERATION_PEERS: [`${REALWORLD}=ws://127.0.0.1:${good.port}`, ...peers].join(',') },
      limits: { greetingSeconds: 10 },
    });
    const dead = Array.from({ length: 200 }, (_, at) =>
      federation.forward('SELECT', { tree: `x@dead${at}.example` }).catch((error: unknown) => error),
    );
    const answered = federation.forward('SELECT');
    const link = await good.link();
    link.answer(await link.next(), { status: 200, body: '{}' });
    expect(await answered).toMatchObject({ status: 200 });
    for (const error of await Promise.all(dead)) {
      expect(error).toMatchObject(UNREACHABLE);
    }
  });

  it.skipIf(!dnsInstalled())('F62 is not dialled at addresses within our network, whatever its name says', async () => {
    await using peer = await TestPeer.start();
    await using dns = await startDns({
      'metadata.example': { A: ['169.254.169.254'] },
      'local.example': { A: ['127.0.0.1'] },
      '_fosp._ws._tcp.srv.example': { SRV: [{ target: 'local.example', port: peer.port }] },
    });
    const environment = { FOSP_DNS_SERVERS: dns.address, FOSP_FEDERATION_PLAIN: 'on', FOSP_FEDERATION_PRIVATE: '' };
    await using federation = await Federation.start({ environment });
    for (const domain of ['metadata.example', 'local.example', 'srv.example', 'wonderland.lit']) {
      const error = await federation.forward('SELECT', { tree: `x@${domain}` }).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: domain === 'wonderland.lit' ? 'wrong-server' : 'unreachable' });
    }
    expect(peer.all).toHaveLength(0);
    expect(await federation.metric('fosp_federation_refused_addresses_total')).toBeGreaterThan(0);
  });

  it('F66 is not talked to where the policy does not permit it, or there is no federation', async () => {
    await using peer = await TestPeer.start();
    for (const environment of [{ FOSP_FEDERATION_BLOCK: REALWORLD }, { FOSP_FEDERATION: 'off' }]) {
      await using federation = await Federation.start({ peer, environment });
      await expect(federation.forward('SELECT')).rejects.toMatchObject({ code: 'forbidden' });
      await expect(federation.admit()).rejects.toMatchObject({ code: 'forbidden' });
      await until(() => federation.lines.length > 0, 'the service to say something');
    }
    expect(peer.all).toHaveLength(0);
  });
});
