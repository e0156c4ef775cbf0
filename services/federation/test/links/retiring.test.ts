import { once } from 'node:events';
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { BOB, Federation } from '../harness.ts';
import { acknowledge, idOf, tell } from '../queue/telling.ts';
import { type PeerLink, TestPeer, until } from '../test-peer.ts';

const DONE = { status: 200, body: '{}' };

/** As a server does that is about to close the link; resolves once it was read. */
async function retire(link: PeerLink, federation: Federation, count = 1): Promise<void> {
  link.send('RETIRE * 70');
  // It is answered when it may be, so that something else must show that it came.
  link.send('SUCCEEDED 200 999');
  const strays = () => federation.metric('fosp_federation_bad_messages_total');
  await until(async () => (await strays()) === count, 'RETIRE to be read');
}

async function expectLeft(link: PeerLink): Promise<void> {
  expect(await link.next()).toMatchObject({ type: 'SUCCEEDED', words: ['200', '70'] });
}

describe('a link whose other end is about to close it', () => {
  it('F61 F68 is asked nothing more, and let go once what it was asked is answered', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    const first = federation.forward('UPDATE');
    const left = await peer.link();
    const asked = await left.next();
    await retire(left, federation);
    const second = federation.forward('UPDATE', { path: '/b' });
    const next = await peer.link();
    next.answer(await next.next(), { status: 204 });
    expect((await second).status).toBe(204);
    expect(left.messages.size).toBe(0);
    left.answer(asked, { status: 204 });
    expect((await first).status).toBe(204);
    await expectLeft(left);
    left.wire.close(1012);
    await left.wire.closed;
    const third = federation.forward('SELECT');
    next.answer(await next.next(), DONE);
    expect((await third).status).toBe(200);
    expect(peer.all).toHaveLength(2);
  });

  it('F61 F68 does not keep waiting what waits for it', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer, limits: { requestsPerLink: 1 } });
    const first = federation.forward('SELECT');
    const left = await peer.link();
    const asked = await left.next();
    const second = federation.forward('SELECT', { user: BOB });
    await retire(left, federation);
    const next = await peer.link();
    next.answer(await next.next(), DONE);
    expect((await second).status).toBe(200);
    left.answer(asked, DONE);
    expect((await first).status).toBe(200);
    await expectLeft(left);
  });

  it('F31 F32 F68 carries the file to its end that is under way, and no other', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    const file = Buffer.alloc(100_000, 'tea');
    const url = await federation.transfer('WRITE', { size: file.length });
    const put = request(url, { method: 'PUT', headers: { 'content-length': file.length } });
    const answered = once(put, 'response');
    // It has the link, though nothing of it went over that yet.
    put.flushHeaders();
    const left = await peer.link();
    await until(async () => (await federation.metric('fosp_federation_dials_total{result="opened"}')) === 1, 'a link');
    await retire(left, federation);
    const read = fetch(await federation.transfer('READ'));
    const next = await peer.link();
    next.answer(await next.next(), { status: 200, body: file }, { binary: true });
    expect(Buffer.from(await (await read).arrayBuffer()).equals(file)).toBe(true);
    put.end(file);
    const written = await left.next();
    expect(written.body.equals(file)).toBe(true);
    left.answer(written, { status: 204 });
    const [{ headers }] = await answered;
    expect(headers['fosp-status']).toBe('204');
    await expectLeft(left);
  });

  it('F59 F68 is told nothing more, and the next one all that is not acknowledged', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer, limits: { closeSeconds: 60 } });
    const first = tell(federation, 1);
    const left = await peer.link();
    const id = idOf(await left.next());
    await retire(left, federation);
    await expectLeft(left);
    const second = tell(federation, 2);
    await acknowledge(left, id);
    await first;
    left.wire.close(1012);
    const next = await peer.link();
    const told = idOf(await next.next());
    expect(told).toBeGreaterThan(id);
    await acknowledge(next, told);
    await second;
  });

  it('F61 F68 is refused when it says so again, and answered the first time all the same', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    const first = federation.forward('UPDATE');
    const left = await peer.link();
    const asked = await left.next();
    await retire(left, federation);
    left.send('RETIRE * 71');
    expect(await left.next()).toMatchObject({ type: 'FAILED', words: ['400', '71'] });
    left.answer(asked, { status: 204 });
    expect((await first).status).toBe(204);
    await expectLeft(left);
  });

  it('F68 is closed where its other end does not do so', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    const answered = federation.forward('SELECT');
    const left = await peer.link();
    left.answer(await left.next(), DONE);
    await answered;
    await retire(left, federation);
    await expectLeft(left);
    expect((await left.wire.closed).code).toBe(1000);
  });

  it('F68 is not one that we dialled: that is closed at once where nothing is in flight', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    const answered = federation.forward('SELECT');
    const link = await peer.link();
    link.answer(await link.next(), DONE);
    await answered;
    const drained = federation.drain();
    expect((await link.wire.closed).code).toBe(1012);
    expect(link.messages.size).toBe(0);
    await drained;
  });

  it('F61 counts as away where that happens to one link after the other', async () => {
    await using peer = await TestPeer.start();
    const limits = { retirements: { perSecond: 0, burst: 2 }, pauses: { first: 60_000, longest: 60_000 } };
    await using federation = await Federation.start({ peer, limits });
    for (let count = 1; count <= 3; count++) {
      const answered = federation.forward('SELECT');
      const link = await peer.link();
      link.answer(await link.next(), DONE);
      await answered;
      await retire(link, federation, count);
    }
    await expect(federation.forward('SELECT')).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('it closes connections'),
    });
    expect(peer.all).toHaveLength(3);
  });
});
