import { OBJECTS } from '@fosp/bus';
import { fospError } from '@fosp/protocol';
import { describe, expect, it } from 'vitest';
import { HeldCalls, startGateway, type TestGateway } from './harness.ts';

const MIB = 1024 * 1024;

interface Seen {
  readonly fields: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Serves all calls on objects alike; remembers what came. */
async function serveObjects(
  gateway: TestGateway,
  answer: (seen: Seen) => { readonly fields?: Record<string, string>; readonly body?: Buffer } = () => ({}),
): Promise<Seen[]> {
  const seen: Seen[] = [];
  for (const type of [OBJECTS.select, OBJECTS.create, OBJECTS.update, OBJECTS.delete, OBJECTS.list]) {
    await gateway.bus.serve(
      type,
      async (call) => {
        seen.push({ fields: { ...call.fields, subject: type.subject }, body: Buffer.from(call.body) });
        const { fields = {}, body = Buffer.alloc(0) } = answer({ fields: call.fields, body: Buffer.from(call.body) });
        return { fields, body };
      },
      { concurrency: 100 },
    );
  }
  return seen;
}

describe('requests on objects', () => {
  it.each<['SELECT' | 'CREATE' | 'UPDATE' | 'DELETE' | 'LIST', string, number]>([
    ['SELECT', 'fosp.objects.select', 200],
    ['CREATE', 'fosp.objects.create', 201],
    ['UPDATE', 'fosp.objects.update', 204],
    ['DELETE', 'fosp.objects.delete', 204],
    ['LIST', 'fosp.objects.list', 200],
  ])('F13 F26 %s is one call of %s and answers %i', async (type, subject, status) => {
    const gateway = await startGateway();
    const seen = await serveObjects(gateway);
    const alice = await gateway.logIn('alice');
    const response = await alice.request(type, 'Bob@Wonderland.lit/social/me/');
    expect(response).toMatchObject({ status, binary: false });
    expect(response.headers).toEqual({});
    expect(seen).toMatchObject([
      { fields: { subject, user: 'alice@wonderland.lit', tree: 'bob@wonderland.lit', path: '/social/me' } },
    ]);
  });

  it('F30 sends large lists one after the other to who reads them late, and closes nothing', async () => {
    const gateway = await startGateway({ limits: { sendBuffer: 8 * MIB, backlog: MIB } });
    const names = Buffer.alloc(7 * MIB, 'x');
    const seen = await serveObjects(gateway, () => ({ body: names }));
    const alice = await gateway.logIn('alice');
    alice.wire.pause();
    const lists = Array.from({ length: 12 }, () => alice.succeed('LIST', 'alice@wonderland.lit/a'));
    await expect.poll(() => seen.length === 4).toBe(true);
    alice.wire.resume();
    expect((await Promise.all(lists)).map(({ body }) => body.length)).toEqual(lists.map(() => names.length));
  });

  it('F3 passes bodies on untouched, both ways', async () => {
    const gateway = await startGateway();
    const object = Buffer.from('{ "data": 12345678901234567890,\r\n\r\n "é": "\\u00e9" }');
    const seen = await serveObjects(gateway, ({ body }) => ({ body: body.length > 0 ? body : object }));
    const alice = await gateway.logIn('alice');
    await alice.succeed('CREATE', 'alice@wonderland.lit/a', { body: object, binary: true });
    expect(seen[0]?.body).toEqual(object);
    const selected = await alice.succeed('SELECT', 'alice@wonderland.lit/a');
    expect(selected.body).toEqual(object);
    expect(selected.binary).toBe(false);
  });

  it('F34 answers an error of the services with its status, headers and body', async () => {
    const gateway = await startGateway();
    await serveObjects(gateway, () => {
      throw fospError('too-many', 'Slowly.', { headers: { 'Retry-After': '3' }, body: { field: 'data' } });
    });
    const alice = await gateway.logIn('alice');
    const response = await alice.request('SELECT', 'alice@wonderland.lit');
    expect(response).toMatchObject({ succeeded: false, status: 429, headers: { 'Retry-After': '3' } });
    expect(JSON.parse(response.body.toString())).toEqual({ message: 'Slowly.', field: 'data' });
  });

  it('F34 says 503 with Retry-After where nobody serves a call', async () => {
    const gateway = await startGateway();
    const alice = await gateway.logIn('alice');
    const response = await alice.request('UPDATE', 'alice@wonderland.lit', { body: '{}' });
    expect(response).toMatchObject({ status: 503, headers: { 'Retry-After': '1' } });
  });

  it('F34 keeps the reason of a defect to the log, under the id that the client is told', async () => {
    const lines: string[] = [];
    const gateway = await startGateway({ lines });
    // No service of ours answers so: a header that cannot be sent.
    await serveObjects(gateway, () => ({ fields: { etag: '"a: b"' } }));
    const alice = await gateway.logIn('alice', { extensions: ['etag'] });
    const response = await alice.request('SELECT', 'alice@wonderland.lit');
    expect(response.status).toBe(500);
    const { message } = JSON.parse(response.body.toString());
    const id = /under (\S+)\.$/.exec(message)?.[1] ?? 'no id';
    expect(lines.some((line) => line.includes(id) && line.includes('RangeError'))).toBe(true);
    expect((await alice.request('SELECT', 'alice@wonderland.lit')).status).toBe(500);
  });

  it('F15 sends ETag and heeds If-Match only where `etag` is agreed', async () => {
    const gateway = await startGateway();
    const seen = await serveObjects(gateway, () => ({ fields: { etag: '"7"' } }));
    const headers = { 'If-Match': '"6"', 'If-None-Match': '"5"' };
    const plain = await gateway.logIn('alice');
    expect((await plain.succeed('UPDATE', 'alice@wonderland.lit', { headers, body: '{}' })).headers).toEqual({});
    const agreed = await gateway.logIn('alice', { extensions: ['etag', 'unheard of'] });
    const response = await agreed.succeed('UPDATE', 'alice@wonderland.lit', { headers, body: '{}' });
    expect(response.headers).toEqual({ ETag: '"7"' });
    expect(Object.keys(seen[0]?.fields ?? {}).sort()).toEqual(['path', 'subject', 'tree', 'user']);
    expect(seen[1]?.fields).toMatchObject({ 'if-match': '"6"', 'if-none-match': '"5"' });
  });

  it('F15 says 304 without a body', async () => {
    const gateway = await startGateway();
    await serveObjects(gateway, () => {
      throw fospError('not-modified', 'Not modified.', { headers: { ETag: '"7"' } });
    });
    const alice = await gateway.logIn('alice', { extensions: ['etag'] });
    const response = await alice.request('SELECT', 'alice@wonderland.lit', { headers: { 'If-None-Match': '"7"' } });
    expect(response).toMatchObject({ succeeded: false, status: 304, headers: { ETag: '"7"' } });
    expect(response.body).toHaveLength(0);
  });

  it('F30 lists by the page only where `page` is agreed', async () => {
    const gateway = await startGateway();
    const seen = await serveObjects(gateway, ({ fields }) =>
      fields['limit'] === undefined ? {} : { fields: { next: 'käse %41' } },
    );
    const plain = await gateway.logIn('alice');
    const headers = { Limit: '2', After: 'k%C3%A4se%20%2541' };
    expect((await plain.succeed('LIST', 'alice@wonderland.lit', { headers })).headers).toEqual({});
    expect(seen[0]?.fields['limit']).toBeUndefined();
    const paging = await gateway.logIn('alice', { extensions: ['page'] });
    const { headers: answered } = await paging.succeed('LIST', 'alice@wonderland.lit', { headers: { Limit: '2' } });
    expect(answered).toEqual({ Next: 'k%C3%A4se%20%2541' });
    await paging.succeed('LIST', 'alice@wonderland.lit', { headers: { After: 'k%C3%A4se' } });
    expect(seen[2]?.fields['after']).toBe('käse');
    for (const wrong of [{ Limit: '0' }, { Limit: '-1' }, { Limit: 'all' }, { After: '%E4' }, { After: 'a%2Fb' }]) {
      expect((await paging.request('LIST', 'alice@wonderland.lit', { headers: wrong })).status).toBe(400);
    }
  });

  it('F34 refuses a body that no object fits into, and judges the rest by its owner', async () => {
    const gateway = await startGateway({ environment: { FOSP_LIMIT_OBJECT: '4 KiB', FOSP_LIMIT_ACL: '1 KiB' } });
    const seen = await serveObjects(gateway);
    const alice = await gateway.logIn('alice');
    const create = (size: number) =>
      alice.request('CREATE', 'alice@wonderland.lit/a', { body: Buffer.alloc(size, 0x20) });
    expect((await create(5 * 1024)).status).toBe(201);
    const refused = await create(22 * 1024);
    expect(refused.status).toBe(413);
    expect(refused.body.toString()).toContain('4096 bytes');
    expect(seen).toHaveLength(1);
  });
});

describe('many requests at once', () => {
  it('F13 answers in any order, and keeps related ones in theirs', async () => {
    const gateway = await startGateway();
    const held = await HeldCalls.of(gateway.bus, OBJECTS.select, OBJECTS.create);
    const alice = await gateway.logIn('alice');
    const create = alice.request('CREATE', 'alice@wonderland.lit/a');
    const child = alice.request('CREATE', 'alice@wonderland.lit/a/b');
    const select = alice.request('SELECT', 'alice@wonderland.lit/a');
    const other = alice.request('SELECT', 'alice@wonderland.lit/c');
    await held.count(2);
    expect(held.calls.map(({ path }) => path)).toEqual(['/a', '/c']);
    held.calls[1]?.answer();
    await other;
    held.calls[0]?.answer();
    await create;
    await held.count(3);
    expect(held.calls[2]?.path).toBe('/a/b');
    held.calls[2]?.answer();
    await child;
    await held.count(4);
    held.calls[3]?.answer('{}');
    expect((await select).body.toString()).toBe('{}');
  });

  it('F13 takes no more than the limit in, and the next one as soon as one is answered', async () => {
    const gateway = await startGateway({ limits: { requests: 3 } });
    const held = await HeldCalls.of(gateway.bus, OBJECTS.select);
    const alice = await gateway.logIn('alice');
    const responses = Array.from({ length: 8 }, (_, index) => alice.request('SELECT', `alice@wonderland.lit/${index}`));
    await held.count(3);
    // Whatever else was taken in would have been asked for before a fresh connection's request is.
    const bob = await gateway.logIn('bob');
    void bob.request('SELECT', 'bob@wonderland.lit/x');
    await held.count(4);
    expect(held.calls.map(({ path }) => path)).toEqual(['/0', '/1', '/2', '/x']);
    held.calls[1]?.answer();
    await held.count(5);
    expect(held.calls[4]?.path).toBe('/3');
    for (let index = 0; index < 9; index++) {
      await held.count(index + 1);
      held.calls[index]?.answer();
    }
    expect((await Promise.all(responses)).every(({ status }) => status === 200)).toBe(true);
  });

  it('F13 slows a client down that pipelines and does not read, and closes nothing', async () => {
    const gateway = await startGateway({ limits: { backlog: 1 } });
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
    const alice = await gateway.logIn('alice');
    alice.wire.pause();
    const responses = Array.from({ length: 300 }, () => alice.request('SELECT', 'alice@wonderland.lit'));
    // Another client is served meanwhile.
    const bob = await gateway.logIn('bob');
    await bob.succeed('SELECT', 'bob@wonderland.lit');
    expect(asked).toBeLessThan(300);
    alice.wire.resume();
    expect((await Promise.all(responses)).every(({ body }) => body.length === object.length)).toBe(true);
  });

  it('F30 takes a few LISTs of a connection at once, and the next one as soon as one is answered', async () => {
    const gateway = await startGateway({ limits: { listsPerConnection: 2 } });
    const lists = await HeldCalls.of(gateway.bus, OBJECTS.list);
    await serveSelect(gateway);
    const alice = await gateway.logIn('alice');
    const responses = Array.from({ length: 6 }, (_, index) => alice.request('LIST', `alice@wonderland.lit/${index}`));
    // Once this one is answered, all before it were taken in.
    await alice.succeed('SELECT', 'alice@wonderland.lit');
    expect(lists.calls.map(({ path }) => path)).toEqual(['/0', '/1']);
    for (let index = 0; index < 6; index++) {
      await lists.count(index + 1);
      expect(lists.calls.length).toBeLessThanOrEqual(index + 2);
      lists.calls[index]?.answer('[]');
    }
    expect((await Promise.all(responses)).every(({ status }) => status === 200)).toBe(true);
  });

  it('F30 begins no LIST for a client that does not read what it has asked for, until it does, or goes', async () => {
    const gateway = await startGateway({
      environment: { FOSP_LIMIT_SEND_BUFFER: '64 MiB' },
      limits: { backlog: 1, listsPerConnection: 2 },
    });
    const lists = await HeldCalls.of(gateway.bus, OBJECTS.list);
    await serveSelect(gateway);
    const large = '"'.padEnd(7_800_000, 'x');
    const [alice, bob] = await Promise.all([gateway.logIn('alice'), gateway.logIn('bob')]);
    const responses = Array.from({ length: 5 }, (_, index) => alice.request('LIST', `alice@wonderland.lit/${index}`));
    await alice.succeed('SELECT', 'alice@wonderland.lit');
    alice.wire.pause();
    lists.calls[0]?.answer(large);
    lists.calls[1]?.answer(large);
    await bob.succeed('SELECT', 'bob@wonderland.lit');
    expect(lists.calls).toHaveLength(2);
    alice.wire.resume();
    expect((await Promise.all(responses.slice(0, 2))).map(({ body }) => body.length)).toEqual([7_800_000, 7_800_000]);
    await lists.count(4);
    alice.wire.pause();
    lists.calls[2]?.answer(large);
    lists.calls[3]?.answer(large);
    await bob.succeed('SELECT', 'bob@wonderland.lit');
    alice.wire.terminate();
    expect(await Promise.allSettled(responses)).toMatchObject([
      { status: 'fulfilled' },
      { status: 'fulfilled' },
      ...Array.from({ length: 3 }, () => ({ status: 'rejected' })),
    ]);
    // One had not begun, and the answer of one waited for the reader.
    await expect.poll(() => gateway.metric('fosp_gateway_requests_total{type="LIST",status="504"}')).toBe(2);
    expect(lists.calls).toHaveLength(4);
  });
});

function serveSelect(gateway: TestGateway): Promise<unknown> {
  return gateway.bus.serve(OBJECTS.select, async () => ({ fields: {} }), { concurrency: 100 });
}
