import { freePort, temporaryDirectory } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { ALICE, Federation, REALWORLD, SISTER, type Wanted } from '../harness.ts';
import { type PeerLink, type PeerMessage, TestPeer, until } from '../test-peer.ts';
import { acknowledge, idOf, sent, take, tell } from './telling.ts';

const DAY = 24 * 3600 * 1000;

describe('notifications for users of another domain', () => {
  it('F59 are sent in order, for whom they are, and leave the queue when they are acknowledged', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    const told = [
      tell(federation, 1, { event: 'CREATED' }, '{"data":"ü"}'),
      tell(federation, 2, { path: '' }),
      tell(federation, 3, { event: 'DELETED' }, ''),
    ];
    const link = await peer.link();
    const messages = [await link.next(), await link.next(), await link.next()];
    expect(messages).toMatchObject([
      { type: 'CREATED', words: [`${ALICE}/a`], headers: { To: SISTER, User: SISTER }, binary: false },
      { type: 'UPDATED', words: [`${ALICE}/`], headers: { To: SISTER, User: SISTER } },
      { type: 'DELETED', words: [`${ALICE}/a`], body: Buffer.alloc(0) },
    ]);
    expect(messages[0]?.body.toString()).toBe('{"data":"ü"}');
    const ids = messages.map(idOf);
    expect(ids).toEqual([...ids].sort((one, other) => one - other));
    expect(new Set(ids).size).toBe(3);
    expect(await federation.bus.queueLength(REALWORLD)).toBe(3);
    await acknowledge(link, ids[1] ?? 0);
    await until(async () => (await federation.bus.queueLength(REALWORLD)) === 1, 'two to leave the queue');
    await acknowledge(link, ids[2] ?? 0);
    await Promise.all(told);
    expect(await federation.metric('fosp_federation_notifications_total{what="acknowledged"}')).toBe(3);
  });

  it('F59 are sent again from the first on that was not acknowledged, when a link ends', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    for (let sequence = 1; sequence <= 5; sequence++) {
      void tell(federation, sequence);
    }
    const link = await peer.link();
    const ids = (await take(link, 5)).map(idOf);
    await acknowledge(link, ids[1] ?? 0);
    link.wire.terminate();
    void tell(federation, 6);
    const next = await peer.link();
    const again = (await take(next, 4)).map(idOf);
    expect(again.slice(0, 3)).toEqual(ids.slice(2));
    await acknowledge(next, again[3] ?? 0);
    await until(async () => (await federation.bus.queueLength(REALWORLD)) === 0, 'the queue to be empty');
    expect(await federation.metric('fosp_federation_notifications_total{what="resent"}')).toBeGreaterThanOrEqual(3);
  });

  it('F59 count as delivered without ack once they were written and a later ping was answered', async () => {
    await using peer = await TestPeer.start({ greet: () => ({ status: 200 }) });
    await using federation = await Federation.start({ peer });
    const told = [tell(federation, 1), tell(federation, 2)];
    const link = await peer.link();
    for (const message of await take(link, 2)) {
      expect(message.headers).toEqual({ To: SISTER, User: SISTER });
    }
    await Promise.all(told);
    // A reader that takes nothing answers no ping.
    link.wire.pause();
    const late = tell(federation, 3);
    await until(async () => (await sent(federation)) === 3, 'the third to be sent');
    expect(await federation.bus.queueLength(REALWORLD)).toBe(1);
    link.wire.resume();
    await late;
  });

  it('are not acknowledged by numbers that were not sent', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer, limits: { window: 2 } });
    for (let sequence = 1; sequence <= 4; sequence++) {
      void tell(federation, sequence);
    }
    const link = await peer.link();
    const [first, second] = (await take(link, 2)).map(idOf);
    await acknowledge(link, Number.MAX_SAFE_INTEGER);
    const [third] = (await take(link, 2)).map(idOf);
    expect(await federation.bus.queueLength(REALWORLD)).toBe(2);
    await acknowledge(link, first ?? 0);
    await acknowledge(link, second ?? 0);
    expect(await federation.bus.queueLength(REALWORLD)).toBe(2);
    for (const id of ['0', '-1', 'x', '1.5']) {
      link.send('ACK * 99', { headers: { Id: id } });
      expect(await link.next()).toMatchObject({ type: 'FAILED', words: ['400', '99'] });
    }
    await acknowledge(link, third ?? 0);
    await until(async () => (await federation.bus.queueLength(REALWORLD)) === 1, 'the third to leave the queue');
  });

  it('end a link on which nothing is acknowledged, and are sent over the next one', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer, limits: { ackSeconds: 0.5 } });
    void tell(federation, 1);
    const link = await peer.link();
    const id = idOf(await link.next());
    expect(await link.wire.closed).toMatchObject({ code: 1008 });
    const next = await peer.link();
    expect(idOf(await next.next())).toBe(id);
  });

  it('are given up one by one where the other side closes links for their size, and what is behind them is told', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    const sizes = [10, 5000, 20, 9000, 30, 6000, 40];
    const told = sizes.map((size, at) => tell(federation, at + 1, {}, JSON.stringify({ data: 'x'.repeat(size) })));
    const seen: number[] = [];
    for (let link = await peer.link(); seen.at(-1) !== 40; ) {
      const message = await nextOf(link);
      if (message === undefined || message.body.length > 1000) {
        link.wire.close(1009, 'too big');
        link = await peer.link();
      } else if (message.type === 'UPDATED') {
        seen.push(JSON.parse(message.body.toString()).data.length);
        link.send(`ACK * ${seen.length}`, { headers: { Id: String(idOf(message)) } });
      }
    }
    await Promise.all(told);
    expect([...new Set(seen)]).toEqual([10, 20, 30, 40]);
    expect(await federation.metric('fosp_federation_notifications_total{what="too-large"}')).toBe(3);
  });

  it('wait while their domain is away, and are told when it gives a sign of life', async () => {
    const port = await freePort();
    const environment = { FOSP_FEDERATION_PEERS: `${REALWORLD}=ws://127.0.0.1:${port}` };
    const limits = { pauses: { first: 600_000, longest: 600_000 } };
    await using federation = await Federation.start({ environment, limits });
    const told = [1, 2, 3].map((sequence) => tell(federation, sequence));
    await until(async () => (await federation.metric('fosp_federation_dials_total')) === 1, 'an attempt to connect');
    await using peer = await TestPeer.start({}, { port });
    // Something more to be told is none: it would knock at a closed door all the time.
    federation.bus.nudge(REALWORLD, 'queued');
    federation.bus.nudge(REALWORLD, 'heard');
    const link = await peer.link();
    const messages = await take(link, 3);
    await acknowledge(link, Math.max(...messages.map(idOf)));
    await Promise.all(told);
    expect(await federation.metric('fosp_federation_dials_total{result="failed"}')).toBe(1);
  });

  it('F66 are dropped where there is no federation with the domain, or their tree is none of ours, or they are too old', async () => {
    let now = Date.now();
    await using peer = await TestPeer.start();
    const wanted: Wanted = { peer, clock: () => now };
    await using federation = await Federation.start({
      ...wanted,
      environment: { FOSP_FEDERATION_BLOCK: 'evil.example' },
    });
    await tell(federation, 1, { user: 'x@evil.example' });
    await tell(federation, 2, { tree: 'alice@formerly.example' });
    expect(await federation.metric('fosp_federation_notifications_total{what="not-permitted"}')).toBe(1);
    expect(await federation.metric('fosp_federation_notifications_total{what="not-ours"}')).toBe(1);
    expect(peer.all).toHaveLength(0);
    peer.behaviour = { ...peer.behaviour, logIn: () => ({ status: 503 }) };
    const old = tell(federation, 3);
    await peer.link();
    now += 8 * DAY;
    await old;
    expect(await federation.metric('fosp_federation_notifications_total{what="expired"}')).toBe(1);
  });

  it('of several domains of ours go each over a link of its own domain', async () => {
    const owns: unknown[] = [];
    await using peer = await TestPeer.start({
      logIn: ({ domain }) => {
        owns.push(domain);
        return { status: 200 };
      },
    });
    const environment = { FOSP_DOMAIN: 'wonderland.lit,looking-glass.lit' };
    await using federation = await Federation.start({ peer, environment });
    const told = [
      tell(federation, 1),
      tell(federation, 1, { tree: 'tweedle@looking-glass.lit' }),
      tell(federation, 2),
      tell(federation, 2, { tree: 'tweedle@looking-glass.lit' }),
    ];
    for (let count = 0; count < 2; count++) {
      const link = await peer.link();
      const messages = await take(link, 2);
      const trees = new Set(messages.map(({ words }) => words[0]));
      expect([...trees]).toEqual([owns[count] === 'wonderland.lit' ? `${ALICE}/a` : 'tweedle@looking-glass.lit/a']);
      await acknowledge(link, Math.max(...messages.map(idOf)));
    }
    await Promise.all(told);
    expect(owns.sort()).toEqual(['looking-glass.lit', 'wonderland.lit']);
  });

  it.each(['on the bus', 'in a file'])(
    'F59 of a domain of ours that is let in wait for none of one that is not: %s',
    async (kept) => {
      await using folder = await temporaryDirectory();
      await using peer = await TestPeer.start({
        logIn: ({ domain }) => (domain === 'looking-glass.lit' ? { status: 403, body: '{}' } : { status: 200 }),
      });
      await using federation = await Federation.start({
        peer,
        environment: { FOSP_DOMAIN: 'looking-glass.lit,wonderland.lit' },
        limits: { window: 3 },
        ...(kept === 'in a file' ? { folder: folder.path } : {}),
      });
      for (let sequence = 1; sequence <= 10; sequence++) {
        void tell(federation, sequence, { tree: 'tweedle@looking-glass.lit' });
        void tell(federation, sequence);
      }
      const seen: string[] = [];
      for (let link = await peer.link(); seen.length < 10; ) {
        const message = await nextOf(link);
        if (message === undefined) {
          link = await peer.link();
        } else if (message.type === 'UPDATED') {
          seen.push(message.words[0] ?? '');
          link.send(`ACK * ${seen.length}`, { headers: { Id: String(idOf(message)) } });
        }
      }
      expect(new Set(seen)).toEqual(new Set([`${ALICE}/a`]));
      await until(async () => (await federation.statusOf(REALWORLD))?.queued === 10, 'those to be all that wait');
    },
  );

  it('leave room for requests between them', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    const body = JSON.stringify({ data: 'x'.repeat(200_000) });
    const told = Array.from({ length: 100 }, (_, at) => tell(federation, at + 1, {}, body));
    const link = await peer.link();
    let last = idOf(await link.next());
    let notifications = 1;
    link.wire.pause();
    const answered = federation.forward('SELECT');
    link.wire.resume();
    for (let isAnswered = false; !isAnswered || notifications < 100; ) {
      const message = await link.next();
      if (message.type === 'SELECT') {
        expect(notifications).toBeLessThan(90);
        link.answer(message, { status: 200, body: '{}' });
        isAnswered = true;
      } else if (message.type === 'UPDATED') {
        notifications++;
        last = idOf(message);
        link.send(`ACK * ${notifications}`, { headers: { Id: String(last) } });
      }
    }
    expect(await answered).toMatchObject({ status: 200 });
    await Promise.all(told);
  });
});

/** `undefined` where the link ended. */
function nextOf(link: PeerLink): Promise<PeerMessage | undefined> {
  return link.messages.next(60_000).catch(() => undefined);
}
