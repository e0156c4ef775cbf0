import { randomBytes } from 'node:crypto';
import { OBJECTS } from '@fosp/bus';
import { describe, expect, it } from 'vitest';
import { FederationStandIn } from './federation-stand-in.ts';
import { TestFileStore } from './file-store.ts';
import { type GatewayOptions, HeldCalls, startGateway, type TestGateway } from './harness.ts';
import { bytesOf, ServerEnd } from './server-end.ts';

const SISTER = 'sister@realworld.lit';
const HATTER = 'hatter@realworld.lit';
const TREE = 'alice@wonderland.lit';

interface Asked {
  readonly subject: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

async function start(options: GatewayOptions = {}) {
  const gateway = await startGateway(options);
  const federation = await FederationStandIn.serve(gateway.bus);
  return { gateway, federation };
}

/** Serves all calls on objects alike; remembers what came. */
async function serveObjects(gateway: TestGateway): Promise<Asked[]> {
  const asked: Asked[] = [];
  for (const type of [OBJECTS.select, OBJECTS.create, OBJECTS.update, OBJECTS.delete, OBJECTS.list]) {
    await gateway.bus.serve(
      type,
      async ({ fields, body }) => {
        asked.push({ subject: type.subject, fields, body: Buffer.from(body) });
        return { fields: { etag: '"7"' }, body: Buffer.from(JSON.stringify({ for: fields.user })) };
      },
      { concurrency: 1000 },
    );
  }
  return asked;
}

describe('requests of another domain', () => {
  it.each([
    ['SELECT', 'fosp.objects.select', 200],
    ['CREATE', 'fosp.objects.create', 201],
    ['UPDATE', 'fosp.objects.update', 204],
    ['DELETE', 'fosp.objects.delete', 204],
    ['LIST', 'fosp.objects.list', 200],
  ])('F61 %s is carried out for its user, and says for whom the response is', async (type, subject, status) => {
    const { gateway } = await start();
    const asked = await serveObjects(gateway);
    const link = await ServerEnd.link(gateway.url);
    const response = await link.ask('Sister@RealWorld.lit', type, `${TREE}/social/me/`, { body: '{ "data": 1.10 }' });
    expect(response).toMatchObject({ status, binary: false });
    expect(response.headers).toEqual({ To: SISTER, User: SISTER });
    expect(asked).toMatchObject([{ subject, fields: { user: SISTER, tree: TREE, path: '/social/me' } }]);
    expect(asked[0]?.body.toString()).toBe(type === 'CREATE' || type === 'UPDATE' ? '{ "data": 1.10 }' : '');
  });

  it.each<[string, Record<string, string>]>([
    ['From', { From: SISTER }],
    ['From without a domain', { From: 'Sister' }],
    ['User, as older servers send it', { User: SISTER }],
    ['User without a domain, as some do', { User: 'sister' }],
    ['From, whatever User is', { From: SISTER, User: 'hatter' }],
  ])('F61 are whose %s says', async (_, headers) => {
    const { gateway } = await start();
    await serveObjects(gateway);
    const link = await ServerEnd.link(gateway.url);
    const response = await link.succeed('SELECT', `${TREE}/a`, { headers });
    expect(JSON.parse(response.body.toString())).toEqual({ for: SISTER });
    expect(response.headers['To']).toBe(SISTER);
  });

  it('F61 of nobody, or of no possible user, are refused, and close nothing however many they are', async () => {
    const { gateway } = await start();
    const asked = await serveObjects(gateway);
    const link = await ServerEnd.link(gateway.url);
    for (const headers of [{}, { From: 'a b' }, { User: '' }, { From: '@realworld.lit' }, { From: 'sister@' }]) {
      for (let count = 0; count < 5; count++) {
        const refused = await link.request('SELECT', `${TREE}/a`, { headers });
        expect(refused.status).toBe(400);
        expect(refused.body.toString()).toContain('From');
      }
    }
    expect(asked).toEqual([]);
    expect(await gateway.metric('fosp_gateway_bad_messages_total{from="server"}')).toBe(25);
    expect((await link.ask(SISTER, 'SELECT', `${TREE}/a`)).status).toBe(200);
  });

  it.each<[string, Record<string, string>]>([
    ['a third domain', { From: 'queen@elsewhere.lit' }],
    ['our own', { From: TREE }],
    ['our own, said in the old way', { User: TREE }],
    ['our own beside one of its own', { From: TREE, User: SISTER }],
    ['a domain below its own', { From: 'sister@sub.realworld.lit' }],
  ])('F65 for a user of %s close the link, and nothing is done', async (_, headers) => {
    const lines: string[] = [];
    const { gateway } = await start({ lines });
    const asked = await serveObjects(gateway);
    const store = await TestFileStore.serve(gateway.bus);
    const victim = await gateway.logIn('alice');
    for (const type of ['SELECT', 'DELETE', 'CREATE']) {
      const link = await ServerEnd.link(gateway.url);
      link.request(type, `${TREE}/a`, { headers, body: '{}' }).catch(() => undefined);
      link.ask(SISTER, 'UPDATE', `${TREE}/behind`, { body: '{}' }).catch(() => undefined);
      expect((await link.wire.closed).code).toBe(1008);
      expect(link.strays).toEqual([]);
    }
    // As soon as its head is known.
    const link = await ServerEnd.link(gateway.url);
    link.wire.sendPart(bytesOf(`WRITE ${TREE}/a 900`, { headers, body: 'the beginning' }));
    expect((await link.wire.closed).code).toBe(1008);
    expect(asked).toEqual([]);
    expect(store.uploads.size).toBe(0);
    expect(await gateway.metric('fosp_gateway_foreign_users_total')).toBe(4);
    expect(lines.filter((text) => text.includes('realworld.lit') && text.includes('it spoke for'))).toHaveLength(4);
    // Nobody else notices.
    await victim.succeed('SELECT', `${TREE}/a`);
  });

  it.each(['SELECT', 'LIST', 'READ', 'WRITE', 'CREATE', 'DELETE'])(
    'F67 %s on a third domain, or their own, is never forwarded: 421',
    async (type) => {
      const { gateway, federation } = await start({ environment: { FOSP_LIMIT_OBJECT: '4 KiB' } });
      const link = await ServerEnd.link(gateway.url);
      for (const tree of ['queen@elsewhere.lit', SISTER]) {
        for (const size of [2, 100_000]) {
          const refused = await link.ask(SISTER, type, `${tree}/a`, { body: Buffer.alloc(size, 0x20) });
          expect(refused).toMatchObject({ status: 421, headers: { To: SISTER } });
        }
      }
      expect([...federation.adopted, ...federation.forwarded, ...federation.transferred]).toEqual([]);
    },
  );

  it.each(['CONNECT', 'AUTHENTICATE', 'REGISTER'])('F63 %s has no place on a link', async (type) => {
    const { gateway } = await start();
    const link = await ServerEnd.link(gateway.url);
    const body = JSON.stringify({ version: '0.1', name: 'alice', password: 'curiouser and curiouser' });
    expect((await link.request(type, '*', { body })).status).toBe(400);
    expect((await link.request(type, '*', { body: Buffer.alloc(100_000) })).status).toBe(400);
    expect(gateway.accounts.calls).toEqual([]);
  });

  it('F15 heed conditions, and get tags, where the link agreed on it', async () => {
    const { gateway } = await start();
    const asked = await serveObjects(gateway);
    const plain = await ServerEnd.link(gateway.url);
    const agreed = await ServerEnd.link(gateway.url, { extensions: ['etag', 'page'] });
    const options = { headers: { From: SISTER, 'If-Match': '"6"', Limit: '3' } };
    expect((await plain.succeed('LIST', `${TREE}/a`, options)).headers).not.toHaveProperty('ETag');
    expect((await agreed.succeed('LIST', `${TREE}/a`, options)).headers).toMatchObject({ ETag: '"7"', To: SISTER });
    expect(asked[0]?.fields).not.toHaveProperty('if-match');
    expect(asked[1]?.fields).toMatchObject({ 'if-match': '"6"', limit: '3' });
    const wrong = await agreed.request('LIST', `${TREE}/a`, { headers: { From: SISTER, Limit: 'x' } });
    expect(wrong).toMatchObject({ status: 400, headers: { To: SISTER } });
  });

  it('F34 are answered with the errors of the services, and with 413 for bodies that are too large', async () => {
    const { gateway } = await start({ environment: { FOSP_LIMIT_OBJECT: '4 KiB', FOSP_LIMIT_ACL: '1 KiB' } });
    const link = await ServerEnd.link(gateway.url);
    expect(await link.ask(SISTER, 'SELECT', `${TREE}/a`)).toMatchObject({
      status: 503,
      headers: { To: SISTER, 'Retry-After': '1' },
    });
    const large = await link.ask(SISTER, 'CREATE', `${TREE}/a`, { body: Buffer.alloc(40_000, 0x20) });
    expect(large).toMatchObject({ status: 413, headers: { To: SISTER } });
    const huge = await link.ask(SISTER, 'WRITE', `${TREE}/a`, { body: Buffer.alloc(65 * 1024 * 1024) });
    expect(huge).toMatchObject({ status: 413, headers: { To: SISTER, User: SISTER } });
    expect((await link.wire.closed).code).toBe(1009);
  });

  it('F32 READ gives the file as binary, also to who asks in text, as an older server does', async () => {
    const { gateway } = await start();
    const store = await TestFileStore.serve(gateway.bus);
    for (const [path, size] of [
      ['/small', 1000],
      ['/large', 3_000_000],
    ] as const) {
      const bytes = randomBytes(size);
      store.files.set(path, { bytes, fields: { 'content-type': 'image/png' } });
      const link = await ServerEnd.link(gateway.url);
      const read = await link.succeed('READ', `${TREE}${path}`, { headers: { User: 'sister' } });
      expect(read).toMatchObject({ binary: true, headers: { To: SISTER, User: SISTER, 'Content-Type': 'image/png' } });
      expect(read.body.equals(bytes)).toBe(true);
    }
  });

  it.each([true, false])('F31 WRITE takes raw bytes (binary frame: %s)', async (binary) => {
    const { gateway } = await start();
    const store = await TestFileStore.serve(gateway.bus);
    const link = await ServerEnd.link(gateway.url);
    const file = randomBytes(2_000_000);
    const options = { headers: { User: 'sister', 'File-Name': 'k%C3%A4se.png' }, body: file, binary };
    expect((await link.request('WRITE', `${TREE}/a`, options)).status).toBe(204);
    expect(store.files.get('/a')?.bytes.equals(file)).toBe(true);
    expect(store.files.get('/a')?.fields).toMatchObject({ user: SISTER, 'file-name': 'k%C3%A4se.png' });
  });
});

describe('users who share a link', () => {
  it('F13 wait for their own earlier requests, and for nobody else', async () => {
    const { gateway } = await start();
    const held = await HeldCalls.of(gateway.bus, OBJECTS.update, OBJECTS.select);
    const link = await ServerEnd.link(gateway.url);
    const update = link.ask(SISTER, 'UPDATE', `${TREE}/a`, { body: '{}' });
    const select = link.ask(SISTER, 'SELECT', `${TREE}/a/b`);
    const other = link.ask(HATTER, 'SELECT', `${TREE}/a/c`);
    await held.count(2);
    expect(held.calls.map(({ path }) => path)).toEqual(['/a', '/a/c']);
    held.calls[1]?.answer();
    await other;
    held.calls[0]?.answer();
    await update;
    await held.count(3);
    held.calls[2]?.answer();
    await select;
  });

  it('F13 have so many requests in flight each; what is beyond is held, and then refused, and others are served', async () => {
    const { gateway } = await start({ environment: { FOSP_LIMIT_REQUESTS: '3' } });
    const held = await HeldCalls.of(gateway.bus, OBJECTS.select);
    const link = await ServerEnd.link(gateway.url);
    const asked = Array.from({ length: 400 }, (_, index) => link.ask(SISTER, 'SELECT', `${TREE}/${index}`));
    const other = link.ask(HATTER, 'SELECT', `${TREE}/other`);
    await held.count(4);
    expect(held.calls.map(({ path }) => path)).toEqual(['/0', '/1', '/2', '/other']);
    held.calls[3]?.answer();
    expect((await other).status).toBe(200);
    // 256 KiB are held, each request counting for 1 KiB at least.
    const refused = await Promise.all(asked.slice(259));
    expect(
      new Set(refused.map(({ status, headers }) => `${status} ${headers['Retry-After']} ${headers['To']}`)),
    ).toEqual(new Set([`429 1 ${SISTER}`]));
    expect(held.calls).toHaveLength(4);
    for (let index = 0; index < 260; index++) {
      await held.count(index + 1);
      held.calls[index]?.answer();
    }
    expect(new Set((await Promise.all(asked.slice(0, 259))).map(({ status }) => status))).toEqual(new Set([200]));
    const inOrder = Array.from({ length: 259 }, (_, index) => `/${index}`);
    expect(held.calls.map(({ path }) => path).filter((path) => path !== '/other')).toEqual(inOrder);
  });

  it('F13 ask nothing more once their link is closed, though what they waited for is done', async () => {
    const { gateway } = await start();
    const held = await HeldCalls.of(gateway.bus, OBJECTS.create);
    const link = await ServerEnd.link(gateway.url);
    link.send(`CREATE ${TREE}/a 900`, { headers: { From: SISTER } });
    link.send(`CREATE ${TREE}/a/b 901`, { headers: { From: SISTER } });
    await held.count(1);
    await link.wire.close();
    await expect.poll(() => gateway.metric('fosp_gateway_server_links')).toBe(0);
    held.calls[0]?.answer();
    const other = await ServerEnd.link(gateway.url);
    other.send(`CREATE ${TREE}/c 902`, { headers: { From: SISTER } });
    await held.count(2);
    expect(held.calls.map(({ path }) => path)).toEqual(['/a', '/c']);
  });

  it('F13 are refused a file that would hold up the link', async () => {
    const { gateway } = await start({ environment: { FOSP_LIMIT_REQUESTS: '1' } });
    const held = await HeldCalls.of(gateway.bus, OBJECTS.select);
    await TestFileStore.serve(gateway.bus);
    const link = await ServerEnd.link(gateway.url);
    const select = link.ask(SISTER, 'SELECT', `${TREE}/a`);
    const refused = await link.ask(SISTER, 'WRITE', `${TREE}/b`, { body: Buffer.alloc(3_000_000) });
    expect(refused).toMatchObject({ status: 429, headers: { 'Retry-After': '1', To: SISTER } });
    expect((await link.ask(HATTER, 'WRITE', `${TREE}/b`, { body: Buffer.alloc(3_000_000) })).status).toBe(204);
    held.calls[0]?.answer();
    await select;
    expect((await link.ask(SISTER, 'WRITE', `${TREE}/b`, { body: 'x' })).status).toBe(204);
  });

  it('F13 take turns, so that one who asks for much does not keep others waiting', async () => {
    const { gateway } = await start({ link: { requestsAtOnce: 2 } });
    const held = await HeldCalls.of(gateway.bus, OBJECTS.select);
    const link = await ServerEnd.link(gateway.url);
    const asked = Array.from({ length: 20 }, (_, index) => link.ask(SISTER, 'SELECT', `${TREE}/${index}`));
    asked.push(link.ask(HATTER, 'SELECT', `${TREE}/hatter`));
    await link.request('ACK', '*');
    expect(held.calls.map(({ path }) => path)).toEqual(['/0', '/1']);
    for (let index = 0; index < 21; index++) {
      await held.count(index + 1);
      held.calls[index]?.answer();
    }
    expect(held.calls.map(({ path }) => path).indexOf('/hatter')).toBeLessThanOrEqual(3);
    await Promise.all(asked);
  });

  it('F13 share the numbers of the link', async () => {
    const { gateway } = await start();
    const held = await HeldCalls.of(gateway.bus, OBJECTS.select);
    const link = await ServerEnd.link(gateway.url);
    link.send(`SELECT ${TREE}/a 7`, { headers: { From: SISTER } });
    await held.count(1);
    expect((await link.requestAs(7, 'SELECT', `${TREE}/b`, { headers: { From: HATTER } })).status).toBe(400);
    const answered = link.requestAs(8, 'SELECT', `${TREE}/c`, { headers: { From: HATTER } });
    await held.count(2);
    held.calls[0]?.answer();
    held.calls[1]?.answer();
    expect((await answered).status).toBe(200);
    await expect.poll(() => link.strays.length === 1).toBe(true);
    const again = link.requestAs(7, 'SELECT', `${TREE}/d`, { headers: { From: HATTER } });
    await held.count(3);
    held.calls[2]?.answer();
    expect((await again).headers['To']).toBe(HATTER);
  });

  it('F13 are bounded in number, and are forgotten once they are answered', async () => {
    const { gateway } = await start({ link: { usersPerLink: 2, requestsPerLink: 3 } });
    const held = await HeldCalls.of(gateway.bus, OBJECTS.select);
    const link = await ServerEnd.link(gateway.url);
    const ask = (user: string) => link.ask(`${user}@realworld.lit`, 'SELECT', `${TREE}/${user}`);
    const first = [ask('a'), ask('a')];
    await held.count(2);
    const second = ask('b');
    await held.count(3);
    expect((await ask('a')).status).toBe(429);
    expect((await ask('c')).status).toBe(429);
    for (const call of held.calls) {
      call.answer();
    }
    expect((await Promise.all([...first, second])).map(({ status }) => status)).toEqual([200, 200, 200]);
    const later = ['c', 'd'].map(ask);
    await held.count(5);
    for (const call of held.calls) {
      call.answer();
    }
    expect((await Promise.all(later)).map(({ status }) => status)).toEqual([200, 200]);
  });

  it('F13 are carried out no further while their answers are not read, and then to the end', async () => {
    const { gateway } = await start({ link: { backlog: 1, requestsAtOnce: 4 } });
    const object = Buffer.alloc(256 * 1024, 0x20);
    let asked = 0;
    await gateway.bus.serve(
      OBJECTS.select,
      async () => {
        asked++;
        return { fields: {}, body: object };
      },
      { concurrency: 1000 },
    );
    const link = await ServerEnd.link(gateway.url);
    link.wire.pause();
    const answers = Array.from({ length: 300 }, (_, index) =>
      link.ask(`user${index % 30}@realworld.lit`, 'SELECT', `${TREE}/${index}`),
    );
    // Another link is served meanwhile.
    const other = await ServerEnd.link(gateway.url);
    await other.ask(SISTER, 'SELECT', `${TREE}/a`);
    expect(asked).toBeLessThan(250);
    link.wire.resume();
    expect((await Promise.all(answers)).every(({ body }) => body.length === object.length)).toBe(true);
  });
});

describe('a link that talks nonsense', () => {
  it('F9 is answered as long as it likes, and closes nothing', async () => {
    const lines: string[] = [];
    const { gateway } = await start({ lines });
    await serveObjects(gateway);
    const link = await ServerEnd.link(gateway.url);
    for (let count = 0; count < 20; count++) {
      link.wire.send('gibberish');
      link.wire.send(`SELECT ${TREE}/a minus-one\r\nFrom: sister\r\n`);
    }
    expect((await link.ask(SISTER, 'SELECT', `${TREE}/a`)).status).toBe(200);
    expect(link.strays.map(({ type, words }) => `${type} ${words.join(' ')}`)).toEqual(
      Array.from({ length: 40 }, () => 'FAILED 400 0'),
    );
    expect(await gateway.metric('fosp_gateway_bad_messages_total{from="server"}')).toBe(40);
    expect(await gateway.metric('fosp_gateway_bad_messages_total{from="client"}')).toBe(0);
    // The log says whose they were, and not forty times.
    const logged = lines.filter((line) => line.includes('could not be read') && line.includes('"realworld.lit"'));
    expect(logged.length).toBeGreaterThan(0);
    expect(logged.length).toBeLessThan(20);
  });

  it('F13 is not answered where it answers what nobody asked', async () => {
    const { gateway } = await start();
    await serveObjects(gateway);
    const link = await ServerEnd.link(gateway.url);
    for (let count = 1; count <= 30; count++) {
      link.wire.send(`SUCCEEDED 200 ${count}\r\n`);
      link.wire.send(`FAILED 400 0\r\n\r\n{"message":"what?"}`);
    }
    expect((await link.ask(SISTER, 'SELECT', `${TREE}/a`)).status).toBe(200);
    expect(link.strays).toEqual([]);
    expect(await gateway.metric('fosp_gateway_bad_messages_total{from="server"}')).toBe(60);
  });

  it('F13 is read no faster than its rate, and nobody else is slowed down by it', async () => {
    const { gateway } = await start({ link: { messageRate: { perSecond: 20, burst: 20 } } });
    await serveObjects(gateway);
    const link = await ServerEnd.link(gateway.url);
    for (let count = 0; count < 10_000; count++) {
      link.wire.send('gibberish');
    }
    const other = await ServerEnd.link(gateway.url, { domain: 'elsewhere.lit' });
    const alice = await gateway.logIn('alice');
    for (let count = 0; count < 50; count++) {
      await other.ask('queen@elsewhere.lit', 'SELECT', `${TREE}/a`);
      await alice.succeed('SELECT', `${TREE}/a`);
    }
    const bad = await gateway.metric('fosp_gateway_bad_messages_total{from="server"}');
    expect(bad).toBeGreaterThan(0);
    expect(bad).toBeLessThan(5000);
    // It goes on all the while.
    await expect.poll(() => link.strays.length > bad).toBe(true);
    link.wire.terminate();
  });
});
