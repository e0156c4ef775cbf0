import { linksOf } from '@fosp/bus';
import { describe, expect, it } from 'vitest';
import { FederationStandIn } from './federation-stand-in.ts';
import { type GatewayOptions, startGateway } from './harness.ts';
import { type MessageOptions, REALWORLD, ServerEnd } from './server-end.ts';

const ALICE = 'alice@wonderland.lit';
const SISTER = 'sister@realworld.lit';
const REFUSED = 'fosp_gateway_remote_notifications_refused_total';

async function start(options: GatewayOptions = {}) {
  const gateway = await startGateway(options);
  await FederationStandIn.serve(gateway.bus);
  return { gateway, alice: await gateway.logIn('alice') };
}

/** Tells alice that an object of her sister's changed. */
function tell(link: ServerEnd, path: string, options: MessageOptions = {}): void {
  const headers = { To: ALICE, User: ALICE, ...options.headers };
  link.send(`UPDATED ${SISTER}${path}`, { body: `{"data":"${path}"}`, ...options, headers });
}

describe('notifications of another domain', () => {
  it('F59 reach all sessions of the user, with the bytes of the body and nothing that is between servers', async () => {
    const { gateway, alice } = await start();
    const second = await gateway.logIn('alice');
    const link = await ServerEnd.link(gateway.url);
    const body = '{ "data": 12345678901234567890,\r\n\r\n "é": "\\u00e9" }';
    tell(link, '/social/mé', { body, headers: { From: SISTER, Id: '9', 'X-Mark': '1' }, binary: true });
    for (const session of [alice, second]) {
      const told = await session.nextNotification();
      expect(told).toMatchObject({ event: 'UPDATED', resource: `${SISTER}/social/mé`, headers: {}, binary: false });
      expect(told.body.toString()).toBe(body);
    }
    expect(await gateway.metric('fosp_gateway_remote_notifications_total')).toBe(1);
  });

  it.each<[string, Record<string, string>]>([
    ['To', { To: ALICE, User: '' }],
    ['To without a domain', { To: 'Alice', User: '' }],
    ['User, as older servers send it', { User: 'alice' }],
  ])('F59 are for whom %s says', async (_, headers) => {
    const { gateway, alice } = await start();
    const link = await ServerEnd.link(gateway.url);
    const named = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''));
    link.send(`CREATED ${SISTER}/a`, { headers: named, body: '{}' });
    expect((await alice.nextNotification()).event).toBe('CREATED');
  });

  it('F56 of a deletion have no body, whatever was sent', async () => {
    const { gateway, alice } = await start();
    const link = await ServerEnd.link(gateway.url);
    link.send(`DELETED ${SISTER}/a`, { headers: { To: ALICE }, body: '{"data":"gone"}' });
    const told = await alice.nextNotification();
    expect([told.event, told.body.length]).toEqual(['DELETED', 0]);
  });

  it.each<[string, string, string, MessageOptions]>([
    ['a third domain', 'foreign-tree', 'UPDATED queen@elsewhere.lit/a', { headers: { To: ALICE } }],
    ['our own', 'foreign-tree', `UPDATED ${ALICE}/a`, { headers: { To: ALICE } }],
    ['a domain below its own', 'foreign-tree', 'UPDATED a@sub.realworld.lit/a', { headers: { To: ALICE } }],
    ['its own, for a user of its own', 'foreign-user', `UPDATED ${SISTER}/a`, { headers: { To: SISTER } }],
    ['its own, for a user of a third', 'foreign-user', `UPDATED ${SISTER}/a`, { headers: { To: 'q@elsewhere.lit' } }],
    ['its own, for nobody', 'nobody', `UPDATED ${SISTER}/a`, {}],
    ['its own, for no possible user', 'nobody', `UPDATED ${SISTER}/a`, { headers: { To: 'a b' } }],
    ['its own, broken', 'malformed', `UPDATED ${SISTER}/a`, { headers: { To: ALICE }, body: '{"data":' }],
    ['its own, no object', 'malformed', `UPDATED ${SISTER}/a`, { headers: { To: ALICE }, body: '["data"]' }],
    [
      'its own, no text',
      'malformed',
      `UPDATED ${SISTER}/a`,
      { headers: { To: ALICE }, body: Buffer.from([0x7b, 0xff]) },
    ],
    [
      'its own, with another message behind it',
      'malformed',
      `UPDATED ${SISTER}/a`,
      { headers: { To: ALICE }, body: '{}\r\n\r\nDELETED alice@wonderland.lit/a\r\n' },
    ],
    [
      'its own, too large',
      'too-large',
      `UPDATED ${SISTER}/a`,
      { headers: { To: ALICE }, body: Buffer.alloc(8_400_000) },
    ],
  ])('F59 of %s are dropped, and counted, and close nothing: %s', async (_, reason, startLine, options) => {
    const { gateway, alice } = await start();
    const sister = await gateway.logIn('queen');
    const link = await ServerEnd.link(gateway.url, { extensions: ['ack'] });
    link.send(startLine, { ...options, headers: { ...options.headers, Id: '4' } });
    tell(link, '/behind', { headers: { Id: '5' } });
    expect((await alice.nextNotification()).resource).toBe(`${SISTER}/behind`);
    expect(await gateway.metric(`${REFUSED}{reason="${reason}"}`)).toBe(1);
    expect(await gateway.metric('fosp_gateway_remote_notifications_total')).toBe(1);
    // It would be refused again: it need not be sent again.
    await expect.poll(() => link.requests.size > 0).toBe(true);
    expect(link.strays).toEqual([]);
    expect(sister.notifications.size).toBe(0);
  });

  it('F58 are told as they come where nothing numbers them, also over more than one link', async () => {
    const { gateway, alice } = await start();
    const links = [await ServerEnd.link(gateway.url), await ServerEnd.link(gateway.url)];
    const told: string[] = [];
    // Numbers are of no account where `ack` was not agreed on.
    for (const id of ['5', '4', '5', '5', '1']) {
      for (const [index, link] of links.entries()) {
        tell(link, `/${index}`, { headers: { Id: id } });
        told.push((await alice.nextNotification()).resource);
      }
    }
    expect(told).toEqual(Array.from({ length: 10 }, (_, index) => `${SISTER}/${index % 2}`));
    expect(links.map(({ requests }) => requests.size)).toEqual([0, 0]);
    expect(await gateway.metric('fosp_gateway_notifications_repeated_total')).toBe(0);
  });
});

describe('notifications that are to be acknowledged', () => {
  it('F59 are, once the bus has them, many at a time', async () => {
    const { gateway, alice } = await start();
    const flushed = [Promise.withResolvers<void>()];
    gateway.transport.beforeFlushed = () => flushed.at(-1)?.promise ?? Promise.resolve();
    const link = await ServerEnd.link(gateway.url, { extensions: ['ack'] });
    link.answers = false;
    for (let id = 1; id <= 100; id++) {
      tell(link, `/${id}`, { headers: { Id: String(id) } });
    }
    await alice.notifications.take(100);
    expect((await link.request('ACK', '*')).status).toBe(400);
    expect(link.requests.size).toBe(0);
    flushed.at(-1)?.resolve();
    const first = await link.requests.next();
    expect(first).toMatchObject({ type: 'ACK', words: ['*', expect.stringMatching(/^\d+$/)] });
    tell(link, '/101', { headers: { Id: '101' } });
    tell(link, '/102', { headers: { Id: '102' } });
    await alice.notifications.take(2);
    // One at a time: nothing more until that is answered.
    expect(link.requests.size).toBe(0);
    let acknowledged = Number(first.headers['Id']);
    let count = 1;
    link.send(`SUCCEEDED 200 ${first.words[1]}`);
    while (acknowledged < 102) {
      const next = await link.requests.next();
      expect(Number(next.headers['Id'])).toBeGreaterThan(acknowledged);
      acknowledged = Number(next.headers['Id']);
      count++;
      link.send(`SUCCEEDED 200 ${next.words[1]}`);
    }
    expect(acknowledged).toBe(102);
    expect(count).toBeLessThan(50);
  });

  it('F59 come once each, whatever is sent again over whichever link, and are acknowledged again', async () => {
    const { gateway, alice } = await start();
    const first = await ServerEnd.link(gateway.url, { extensions: ['ack'] });
    const acknowledged = async (link: ServerEnd, id: string) => {
      while ((await link.requests.next()).headers['Id'] !== id) {
        // Those before it.
      }
    };
    for (const id of ['7', '8', '9']) {
      tell(first, `/${id}`, { headers: { Id: id } });
    }
    await acknowledged(first, '9');
    const second = await ServerEnd.link(gateway.url, { extensions: ['ack'] });
    for (const id of ['8', '9', '10']) {
      tell(second, `/${id}`, { headers: { Id: id } });
    }
    await acknowledged(second, '10');
    tell(first, '/8', { headers: { Id: '8' } });
    await acknowledged(first, '9');
    const paths = alice.notifications.drain().map(({ resource }) => resource.slice(SISTER.length));
    expect(paths).toEqual(['/7', '/8', '/9', '/10']);
    expect(await gateway.metric('fosp_gateway_notifications_repeated_total')).toBe(3);
  });

  it('F59 are numbered per domain: others have numbers of their own', async () => {
    const { gateway, alice } = await start();
    const one = await ServerEnd.link(gateway.url, { extensions: ['ack'] });
    const other = await ServerEnd.link(gateway.url, { extensions: ['ack'], domain: 'elsewhere.lit' });
    tell(one, '/a', { headers: { Id: '9' } });
    expect((await alice.nextNotification()).resource).toBe(`${SISTER}/a`);
    other.send('CREATED queen@elsewhere.lit/b', { headers: { To: ALICE, Id: '3' }, body: '{}' });
    expect((await alice.nextNotification()).resource).toBe('queen@elsewhere.lit/b');
    tell(one, '/other-tree', { headers: { Id: '10' } });
    expect((await alice.nextNotification()).resource).toBe(`${SISTER}/other-tree`);
  });

  it.each(['0', '-1', '1.5', 'x', '9007199254740992', ''])(
    'F59 with the number %j have none: they are told, and not acknowledged',
    async (id) => {
      const { gateway, alice } = await start();
      const link = await ServerEnd.link(gateway.url, { extensions: ['ack'] });
      tell(link, '/a', { headers: id === '' ? {} : { Id: id } });
      tell(link, '/b', { headers: { Id: '5' } });
      expect((await alice.notifications.take(2)).map(({ resource }) => resource)).toEqual([
        `${SISTER}/a`,
        `${SISTER}/b`,
      ]);
      expect((await link.requests.next()).headers['Id']).toBe('5');
    },
  );

  it('F68 are not acknowledged, and the link is closed, where it is not sure that the bus has them', async () => {
    const { gateway, alice } = await start();
    gateway.transport.beforeFlushed = () => Promise.reject(new Error('the link broke'));
    const link = await ServerEnd.link(gateway.url, { extensions: ['ack'] });
    tell(link, '/a', { headers: { Id: '1' } });
    await alice.nextNotification();
    expect((await link.wire.closed).code).toBe(1012);
    expect(link.requests.size).toBe(0);
  });

  it('F68 close the link where the other end does not take the acknowledgement', async () => {
    const { gateway, alice } = await start();
    const link = await ServerEnd.link(gateway.url, { extensions: ['ack'] });
    link.answers = false;
    tell(link, '/a', { headers: { Id: '1' } });
    await alice.nextNotification();
    const { words } = await link.requests.next();
    link.send(`FAILED 500 ${words[1]}`);
    expect((await link.wire.closed).code).toBe(1012);
  });
});

const FLOOD = 300;

describe('a flood of notifications', () => {
  it('F59 from any number of made-up users of one domain shuts nobody out who is behind', async () => {
    const { gateway, alice: sleeping } = await start({
      limits: { sendBuffer: 4_000_000, behind: 1_000_000, notificationRate: 1, notificationBurst: 500_000 },
    });
    const reading = await gateway.logIn('alice');
    const link = await ServerEnd.link(gateway.url);
    sleeping.wire.pause();
    const body = JSON.stringify({ data: 'x'.repeat(100_000) });
    for (let count = 0; count < 200; count++) {
      link.send(`UPDATED user${count}@realworld.lit/a`, { headers: { To: ALICE }, body });
      await reading.nextNotification();
    }
    const dropped = await gateway.metric('fosp_gateway_notifications_dropped_total');
    expect(dropped).toBeGreaterThan(0);
    sleeping.wire.resume();
    expect(await sleeping.notifications.take(200 - dropped)).toHaveLength(200 - dropped);
    expect((await sleeping.request('AUTHENTICATE', '*')).status).toBe(400);
  });

  it('F59 is read no faster than its rate, all of it, and nobody else is slowed down', async () => {
    const { gateway, alice } = await start({ link: { messageRate: { perSecond: 25, burst: 100 } } });
    const link = await ServerEnd.link(gateway.url);
    const other = await ServerEnd.link(gateway.url, { domain: 'elsewhere.lit' });
    for (let count = 0; count < FLOOD; count++) {
      tell(link, `/${count}`);
    }
    other.send('CREATED queen@elsewhere.lit/b', { headers: { To: ALICE }, body: '{}' });
    const before = new Set<string>();
    for (;;) {
      const { resource } = await alice.nextNotification();
      if (resource === 'queen@elsewhere.lit/b') {
        break;
      }
      before.add(resource);
    }
    // With seconds to spare for a machine that stands still.
    expect(before.size).toBeLessThan(FLOOD);
    const rest = await alice.notifications.take(FLOOD - before.size);
    expect(rest.at(-1)?.resource).toBe(`${SISTER}/${FLOOD - 1}`);
  });

  it('F59 for what the links of a domain listen to, in place of a user, are for nobody', async () => {
    const { gateway, alice } = await start();
    const link = await ServerEnd.link(gateway.url);
    link.send(`UPDATED ${SISTER}/a`, { headers: { To: linksOf(REALWORLD) }, body: '{}' });
    tell(link, '/b');
    expect((await alice.nextNotification()).resource).toBe(`${SISTER}/b`);
    expect(await gateway.metric(`${REFUSED}{reason="nobody"}`)).toBe(1);
  });
});
