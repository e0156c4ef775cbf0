import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Bus, FEDERATION, InProcessTransport, linksOf } from '@fosp/bus';
import { Inbox, temporaryDirectory } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { Federation, REALWORLD, SISTER, serveSign } from './harness.ts';
import { acknowledge, idOf, tell } from './queue/telling.ts';
import { TestPeer, until } from './test-peer.ts';

const READ = { user: 'alice@wonderland.lit', tree: SISTER };

describe('a domain, and the process that talks to it', () => {
  it('F68 are one at a time: the first that is asked, and another once that one ends', async () => {
    const transport = new InProcessTransport();
    await serveSign(new Bus(transport));
    await using peer = await TestPeer.start();
    await using one = await Federation.start({ peer, transport });
    await using other = await Federation.start({ peer, transport });
    for (let count = 0; count < 4; count++) {
      await one.bus.call(FEDERATION.adopt, { domain: REALWORLD });
    }
    const levels = async () => [await one.metric('fosp_federation_peers'), await other.metric('fosp_federation_peers')];
    expect((await levels()).sort()).toEqual([0, 1]);
    const [first, second] = (await levels())[0] === 1 ? [one, other] : [other, one];
    const answered = second.forward('SELECT');
    const link = await peer.link();
    link.answer(await link.next(), { status: 200, body: '{}' });
    expect(await answered).toMatchObject({ status: 200 });
    const own = `{domain="${REALWORLD}"}`;
    expect(await first.metric(`fosp_federation_peer_links${own}`)).toBe(1);
    expect(await first.metric(`fosp_federation_peer_queued${own}`)).toBe(0);
    expect(await first.metric(`fosp_federation_peer_paused${own}`)).toBe(0);
    expect(await first.metric(`fosp_federation_peer_requests_total{domain="${REALWORLD}",outcome="ok"}`)).toBe(1);

    await first.drain();
    expect(await link.wire.closed).toMatchObject({ code: 1012 });
    const again = second.forward('SELECT');
    const next = await peer.link();
    next.answer(await next.next(), { status: 200, body: '{}' });
    expect(await again).toMatchObject({ status: 200 });
    expect(await second.metric('fosp_federation_peers')).toBe(1);
  });

  it('F59 are found by what waits: whoever has room takes the domain, and tells it', async () => {
    const transport = new InProcessTransport();
    await serveSign(new Bus(transport));
    await using peer = await TestPeer.start();
    await using one = await Federation.start({ peer, transport });
    const told = [tell(one, 1), tell(one, 2)];
    const link = await peer.link();
    const ids = [idOf(await link.next()), idOf(await link.next())];
    await acknowledge(link, ids[0] ?? 0);
    await using other = await Federation.start({ peer, transport });
    await one.drain();
    const next = await peer.link();
    expect(idOf(await next.next())).toBe(ids[1]);
    await acknowledge(next, ids[1] ?? 0);
    await Promise.all(told);
    expect(await other.metric('fosp_federation_peers')).toBe(1);
  });

  it('part when nobody needs it any more', async () => {
    await using peer = await TestPeer.start();
    const limits = { ownerIdleSeconds: 0.2, idleSeconds: 0.2, transferIdleSeconds: 0.2 };
    await using federation = await Federation.start({ peer, limits });
    const answered = federation.forward('SELECT');
    const link = await peer.link();
    link.answer(await link.next(), { status: 200, body: '{}' });
    await answered;
    expect(await link.wire.closed).toMatchObject({ code: 1000 });
    await until(async () => (await federation.metric('fosp_federation_peers')) === 0, 'it to be given up');
    expect(await federation.bus.askAt(FEDERATION.reach, REALWORLD, READ)).toBeUndefined();
  });

  it('part when there is no room for more, unless one needs the other', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({
      environment: {
        FOSP_FEDERATION_PEERS: `${REALWORLD}=ws://127.0.0.1:${peer.port},away.example=ws://127.0.0.1:1`,
      },
      limits: { domainsOwned: 1 },
    });
    const away = () => federation.forward('SELECT', { tree: 'x@away.example' });
    await expect(away()).rejects.toMatchObject({ code: 'unreachable' });
    const answered = federation.forward('SELECT');
    const link = await peer.link();
    await expect(away()).rejects.toMatchObject({ code: 'unavailable' });
    link.answer(await link.next(), { status: 200, body: '{}' });
    expect(await answered).toMatchObject({ status: 200 });
  });

  it('are not brought together where there is nothing to be found', async () => {
    const limits = { adoptionSeconds: 0.3 };
    await using federation = await Federation.start({ limits, environment: { FOSP_FEDERATION_BLOCK: 'evil.example' } });
    const adopt = (domain: string) => federation.bus.call(FEDERATION.adopt, { domain });
    await expect(adopt('evil.example')).rejects.toMatchObject({ code: 'forbidden' });
    await expect(adopt('wonderland.lit')).rejects.toMatchObject({ code: 'wrong-server' });
    await expect(adopt('192.0.2.1')).rejects.toMatchObject({ code: 'unreachable' });
    expect(await federation.metric('fosp_federation_peers')).toBe(0);
  });

  it('wait for one that has the lease and does not serve it, for a while', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer, limits: { adoptionSeconds: 2 } });
    const lease = await federation.bus.lease(`peer.${Buffer.from(REALWORLD).toString('base64url')}`);
    const adopt = () => federation.bus.call(FEDERATION.adopt, { domain: REALWORLD });
    await expect(adopt()).rejects.toMatchObject({ code: 'unavailable' });
    const adopted = adopt();
    await lease?.release();
    await expect(adopted).resolves.toBeDefined();
  });

  it('F66 part when the policy says so, in both directions', async () => {
    await using folder = await temporaryDirectory();
    const file = join(folder.path, 'policy.json');
    await writeFile(file, '{}');
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer, environment: { FOSP_FEDERATION_POLICY_FILE: file } });
    await federation.admit();
    const revoked: unknown[] = [];
    await federation.bus.onUser(linksOf(REALWORLD), (headers) => revoked.push(headers.event));
    const answered = federation.forward('SELECT');
    const link = await peer.link();
    link.answer(await link.next(), { status: 200, body: '{}' });
    await answered;
    await writeFile(file, JSON.stringify({ block: ['*.example', REALWORLD] }));
    expect(await link.wire.closed).toMatchObject({ code: 1008 });
    await expect(federation.forward('SELECT')).rejects.toMatchObject({ code: 'forbidden' });
    await expect(federation.admit()).rejects.toMatchObject({ code: 'forbidden' });
    expect(revoked).toEqual(['revoked']);
    await tell(federation, 1);
    expect(await federation.metric('fosp_federation_notifications_total{what="not-permitted"}')).toBe(1);
    await writeFile(file, '{}');
    await until(
      () =>
        federation.admit().then(
          () => true,
          () => false,
        ),
      'the policy to permit it',
    );
    const again = federation.forward('SELECT');
    const next = await peer.link();
    next.answer(await next.next(), { status: 200, body: '{}' });
    expect(await again).toMatchObject({ status: 200 });
  });

  it('F66 part also where the policy changed while nobody saw it', async () => {
    await using federation = await Federation.start({ environment: { FOSP_FEDERATION_BLOCK: 'evil.example' } });
    const revoked = new Inbox<string>('a revocation');
    await federation.bus.onUser(linksOf('evil.example'), ({ event }) => revoked.add(event));
    // As a gateway does that has a link of it.
    federation.bus.nudge('evil.example', 'heard');
    expect(await revoked.next()).toBe('revoked');
  });

  it('end in order: what is under way is answered, and what comes then is for another process', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer, limits: { finishSeconds: 60 } });
    const answered = federation.forward('SELECT');
    const link = await peer.link();
    const request = await link.next();
    const drained = federation.drain();
    const isServed = async () => (await federation.bus.askAt(FEDERATION.peer, REALWORLD, {})) !== undefined;
    await until(async () => !(await isServed()), 'it to be given up');
    await expect(federation.forward('SELECT')).rejects.toMatchObject({ code: 'unavailable' });
    link.answer(request, { status: 200, body: '{}' });
    expect(await answered).toMatchObject({ status: 200 });
    await drained;
    expect(await link.wire.closed).toMatchObject({ code: 1012 });
  });
});
