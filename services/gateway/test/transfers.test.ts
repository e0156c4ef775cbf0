import { createHash, randomBytes } from 'node:crypto';
import { OBJECTS } from '@fosp/bus';
import { WireClient } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { TestFileStore } from './file-store.ts';
import { HeldCalls, PASSWORD, startGateway } from './harness.ts';

const HEAD = 'WRITE alice@wonderland.lit/a 900\r\n\r\n';
/** Not UTF-8, and with what ends a head in the middle. */
const ODD = Buffer.from([0xff, 0, 13, 10, 13, 10, 0xc3, 0x28, 13, 10]);

async function start(options: Parameters<typeof startGateway>[0] = {}) {
  const gateway = await startGateway(options);
  const store = await TestFileStore.serve(gateway.bus);
  return { gateway, store };
}

describe('WRITE', () => {
  it.each([true, false])('F3 F31 stores raw bytes as they are (binary frame: %s)', async (binary) => {
    const { gateway, store } = await start();
    const alice = await gateway.logIn('alice', { extensions: ['etag'] });
    const headers = { 'Content-Type': 'image/png', 'File-Name': 'k%C3%A4se.png' };
    const response = await alice.request('WRITE', 'alice@wonderland.lit/a', { headers, body: ODD, binary });
    expect(response).toMatchObject({ status: 204, headers: { ETag: '"9"' } });
    expect(store.files.get('/a')?.bytes).toEqual(ODD);
    expect(store.files.get('/a')?.fields).toMatchObject({
      user: 'alice@wonderland.lit',
      size: String(ODD.length),
      checksum: createHash('sha256').update(ODD).digest('hex'),
      'content-type': 'image/png',
      'file-name': 'k%C3%A4se.png',
    });
    expect(store.uploads.get('1')?.headers['content-length']).toBe(String(ODD.length));
  });

  it('F31 tells the MD5 of what it sent where the store asks for it, and computes none otherwise', async () => {
    const { gateway, store } = await start();
    const alice = await gateway.logIn('alice');
    await alice.succeed('WRITE', 'alice@wonderland.lit/a', { body: ODD });
    store.asksForMd5 = true;
    await alice.succeed('WRITE', 'alice@wonderland.lit/b', { body: ODD });
    expect(store.files.get('/a')?.fields).not.toHaveProperty('md5');
    expect(store.files.get('/b')?.fields['md5']).toBe(createHash('md5').update(ODD).digest('hex'));
  });

  it('F31 hands on what the store says of an upload', async () => {
    const { gateway, store } = await start();
    const alice = await gateway.logIn('alice');
    await alice.succeed('WRITE', 'alice@wonderland.lit/a', { body: ODD });
    store.receipt = 'received';
    await alice.succeed('WRITE', 'alice@wonderland.lit/b', { body: ODD });
    expect(store.files.get('/a')?.fields).not.toHaveProperty('receipt');
    expect(store.files.get('/b')?.fields['receipt']).toBe('received');
  });

  it('F31 takes an empty file, with and without the blank line', async () => {
    const { gateway, store } = await start();
    const alice = await gateway.logIn('alice');
    expect((await alice.request('WRITE', 'alice@wonderland.lit/a', { body: '' })).status).toBe(204);
    expect((await alice.request('WRITE', 'alice@wonderland.lit/b')).status).toBe(204);
    expect([store.files.get('/a')?.bytes.length, store.files.get('/b')?.bytes.length]).toEqual([0, 0]);
  });

  it('F31 streams a large file, in one frame or in fragments of unknown number', async () => {
    const { gateway, store } = await start();
    const alice = await gateway.logIn('alice');
    const file = randomBytes(9_000_000);
    expect((await alice.request('WRITE', 'alice@wonderland.lit/a', { body: file })).status).toBe(204);
    expect(store.files.get('/a')?.bytes.equals(file)).toBe(true);
    const pieces = [
      HEAD.replace('/a', '/b'),
      ...Array.from({ length: 90 }, (_, at) => file.subarray(at * 100_000, (at + 1) * 100_000)),
    ];
    alice.wire.sendFragments(pieces);
    await alice.succeed('WRITE', 'alice@wonderland.lit/c', { body: 'after' });
    expect(store.files.get('/b')?.bytes.equals(file)).toBe(true);
    expect(store.uploads.get('2')?.headers['transfer-encoding']).toBe('chunked');
    expect(await gateway.metric('fosp_gateway_attachment_bytes_total{direction="up"}')).toBe(18_000_005);
  });

  it('F31 F34 refuses a file over the limit, announced or not, and keeps the old one', async () => {
    const { gateway, store } = await start({ environment: { FOSP_LIMIT_ATTACHMENT: '100 KiB' } });
    const alice = await gateway.logIn('alice');
    await alice.succeed('WRITE', 'alice@wonderland.lit/a', { body: 'old' });
    const announced = await alice.request('WRITE', 'alice@wonderland.lit/a', { body: Buffer.alloc(102_401) });
    expect(announced.status).toBe(413);
    expect(announced.body.toString()).toContain('102400 bytes');
    alice.wire.sendFragments([HEAD, Buffer.alloc(60_000), Buffer.alloc(42_401)]);
    await alice.succeed('WRITE', 'alice@wonderland.lit/b', { body: Buffer.alloc(102_400) });
    expect(await gateway.metric('fosp_gateway_requests_total{type="WRITE",status="413"}')).toBe(2);
    expect(store.files.get('/a')?.bytes.toString()).toBe('old');
  });

  it('F34 answers a refusal at once, drops the rest of the body, and goes on', async () => {
    const { gateway, store } = await start();
    const alice = await gateway.logIn('alice');
    const forbidden = alice.request('WRITE', 'alice@wonderland.lit/forbidden', { body: Buffer.alloc(5_000_000) });
    const allowed = alice.request('WRITE', 'alice@wonderland.lit/a', { body: 'after' });
    expect([(await forbidden).status, (await allowed).status]).toEqual([403, 204]);
    expect(store.uploads.size).toBe(1);
  });

  it('F11 F34 refuses headers that it could not send back, before rights are asked for and the file goes up', async () => {
    const { gateway, store } = await start();
    const alice = await gateway.logIn('alice');
    const write = (headers: Record<string, string>) =>
      alice.request('WRITE', 'alice@wonderland.lit/forbidden', { headers, body: Buffer.alloc(300_000) });
    // More of them than a connection survives of bad messages.
    for (const headers of Array.from({ length: 12 }, () => ({ 'File-Name': '%E4' }))) {
      expect((await write(headers)).status).toBe(400);
    }
    expect((await write({ 'Content-Type': 'a: b' })).body.toString()).toContain('Content-Type');
    expect((await write({ 'Content-Type': 'a/b' })).status).toBe(403);
    expect(store.uploads.size).toBe(0);
    await alice.succeed('WRITE', 'alice@wonderland.lit/a', { headers: { 'Content-Type': '' }, body: 'x' });
    expect(store.files.get('/a')?.fields['content-type']).toBeUndefined();
  });

  it.each([
    ['/forbidden', 403],
    ['/a', 413],
  ])(
    'F31 F34 answers a WRITE of %s that goes on past the limit of a message once, with %i, and closes',
    async (path, status) => {
      const { gateway } = await start({ environment: { FOSP_LIMIT_ATTACHMENT: '1 MiB' } });
      const wire = await WireClient.open(gateway.url);
      wire.send('CONNECT * 1\r\n\r\n{"version":"0.1"}');
      wire.send(`AUTHENTICATE * 2\r\n\r\n${JSON.stringify({ name: 'alice', password: PASSWORD })}`);
      await wire.frames.take(2);
      wire.sendPart(HEAD.replace('/a', path));
      for (let sent = 0; sent < 2_000_000; sent += 100_000) {
        wire.sendPart(Buffer.alloc(100_000));
      }
      expect((await wire.next()).bytes.toString()).toMatch(new RegExp(`^FAILED ${status} 900\r\n`));
      expect((await wire.closed).code).toBe(1009);
      expect(wire.frames.size).toBe(0);
      expect(await gateway.metric(`fosp_gateway_requests_total{type="WRITE",status="${status}"}`)).toBe(1);
      expect(await gateway.metric('fosp_gateway_request_seconds_count{type="WRITE",class="4xx"}')).toBe(1);
    },
  );

  it('F31 leaves the old file when the client goes away in the middle', async () => {
    const { gateway, store } = await start();
    const alice = await gateway.logIn('alice');
    await alice.succeed('WRITE', 'alice@wonderland.lit/a', { body: 'old' });
    const cut = Promise.withResolvers<void>();
    store.onTransfer = (request) => {
      request.on('data', () => alice.wire.terminate());
      request.on('close', () => cut.resolve());
      request.on('error', () => undefined);
    };
    alice.wire.sendPart(HEAD);
    alice.wire.sendPart(Buffer.alloc(200_000));
    await cut.promise;
    expect(store.files.get('/a')?.bytes.toString()).toBe('old');
  });

  it.each<[string, number]>([
    ['refuses it with 500', 503],
    ['refuses it with 413', 413],
    ['closes the connection', 503],
    ['does nothing', 503],
  ])('F31 F34 says so when the file store %s', async (what, status) => {
    const { gateway, store } = await start({ limits: { transferStallSeconds: 2 } });
    const alice = await gateway.logIn('alice');
    store.onTransfer = (request, response) => {
      if (what === 'closes the connection') {
        request.destroy();
      } else if (what !== 'does nothing') {
        response.writeHead(Number(what.slice(-3))).end();
        request.resume();
      }
    };
    const response = await alice.request('WRITE', 'alice@wonderland.lit/a', { body: Buffer.alloc(20_000_000) });
    expect(response.status).toBe(status);
    store.onTransfer = undefined;
    expect((await alice.request('WRITE', 'alice@wonderland.lit/a', { body: 'again' })).status).toBe(204);
  });

  it('F13 waits for earlier requests with its body unread, and holds up the later ones', async () => {
    const { gateway, store } = await start();
    const held = await HeldCalls.of(gateway.bus, OBJECTS.create, OBJECTS.select);
    const alice = await gateway.logIn('alice');
    const create = alice.request('CREATE', 'alice@wonderland.lit/a');
    const write = alice.request('WRITE', 'alice@wonderland.lit/a', { body: Buffer.alloc(10_000_000) });
    const select = alice.request('SELECT', 'alice@wonderland.lit/a');
    await held.count(1);
    expect(store.uploads.size).toBe(0);
    held.calls[0]?.answer();
    expect((await create).status).toBe(201);
    expect((await write).status).toBe(204);
    await held.count(2);
    held.calls[1]?.answer('{}');
    expect((await select).status).toBe(200);
  });
});

describe('READ', () => {
  it('F3 F32 sends a file as one binary message, with type and name where known', async () => {
    const { gateway, store } = await start();
    const alice = await gateway.logIn('alice');
    const file = randomBytes(5_000_000);
    const fields = { 'content-type': 'image/png', 'file-name': 'k%C3%A4se.png', etag: '"1"' };
    store.files.set('/large', { bytes: file, fields });
    store.files.set('/small', { bytes: ODD, fields: {} });
    const large = await alice.succeed('READ', 'alice@wonderland.lit/large');
    expect(large).toMatchObject({
      status: 200,
      binary: true,
      headers: { 'Content-Type': 'image/png', 'File-Name': 'k%C3%A4se.png' },
    });
    expect(large.body.equals(file)).toBe(true);
    const small = await alice.succeed('READ', 'alice@wonderland.lit/small');
    expect(small).toMatchObject({ binary: true, headers: {}, body: ODD });
    expect(await gateway.metric('fosp_gateway_attachment_bytes_total{direction="down"}')).toBe(5_000_010);
  });

  it('F32 sends an empty file as a text frame without a body', async () => {
    const { gateway, store } = await start();
    const alice = await gateway.logIn('alice');
    store.files.set('/a', { bytes: Buffer.alloc(0), fields: { 'content-type': 'text/plain' } });
    const response = await alice.succeed('READ', 'alice@wonderland.lit/a');
    expect(response).toMatchObject({ status: 200, binary: false, headers: { 'Content-Type': 'text/plain' } });
    expect(response.body).toHaveLength(0);
  });

  it('F32 leaves out a type that cannot be a header', async () => {
    const { gateway, store } = await start();
    const alice = await gateway.logIn('alice');
    store.files.set('/a', { bytes: ODD, fields: { 'content-type': 'a: b' } });
    expect((await alice.succeed('READ', 'alice@wonderland.lit/a')).headers).toEqual({});
  });

  it('F34 answers 404 where there is none, and 503 where the store fails before the first byte', async () => {
    const { gateway, store } = await start();
    const alice = await gateway.logIn('alice');
    expect((await alice.request('READ', 'alice@wonderland.lit/a')).status).toBe(404);
    for (const size of [10, 1_000_000]) {
      store.files.set('/a', { bytes: Buffer.alloc(size), fields: {} });
      store.onTransfer = (_, response) => response.writeHead(500).end();
      expect((await alice.request('READ', 'alice@wonderland.lit/a')).status).toBe(503);
      store.onTransfer = (_, response) => response.writeHead(200, { 'content-length': 7 }).end('7 bytes');
      expect((await alice.request('READ', 'alice@wonderland.lit/a')).status).toBe(503);
    }
    store.onTransfer = undefined;
    expect((await alice.request('READ', 'alice@wonderland.lit/a')).status).toBe(200);
  });

  it.each(['breaks off', 'stalls', 'gives nothing'])(
    'F34 answers 503 where the store promises a file and %s before its first byte',
    async (what) => {
      const { gateway, store } = await start({ limits: { transferStallSeconds: 2 } });
      const alice = await gateway.logIn('alice');
      store.files.set('/a', { bytes: Buffer.alloc(1_000_000, 1), fields: {} });
      store.onTransfer = (_, response) => {
        response.writeHead(200, what === 'gives nothing' ? {} : { 'content-length': 1_000_000 }).flushHeaders();
        if (what === 'breaks off') {
          response.socket?.end();
        } else if (what === 'gives nothing') {
          response.end();
        }
      };
      const answer = await alice.request('READ', 'alice@wonderland.lit/a');
      expect(answer).toMatchObject({ status: 503, headers: { 'Retry-After': '1' } });
      expect(await gateway.metric('fosp_gateway_requests_total{type="READ",status="503"}')).toBe(1);
      store.onTransfer = undefined;
      expect((await alice.succeed('READ', 'alice@wonderland.lit/a')).body).toHaveLength(1_000_000);
    },
  );

  it('F32 ends the connection with 1011 when a file breaks off, since its message cannot be completed', async () => {
    const { gateway, store } = await start();
    const alice = await gateway.logIn('alice');
    store.files.set('/a', { bytes: Buffer.alloc(1_000_000), fields: {} });
    store.onTransfer = (_, response) => {
      response.writeHead(200, { 'content-length': 1_000_000 });
      response.write(Buffer.alloc(500_000), () => response.destroy());
    };
    await expect(alice.request('READ', 'alice@wonderland.lit/a')).rejects.toThrow('1011');
  });

  it('F32 has patience with a client that reads slowly, and none with a store that does nothing', async () => {
    const { gateway, store } = await start({ limits: { transferStallSeconds: 2 } });
    const alice = await gateway.logIn('alice');
    const bob = await gateway.logIn('bob');
    store.files.set('/a', { bytes: Buffer.alloc(20_000_000, 1), fields: {} });
    alice.wire.pause();
    const slow = alice.succeed('READ', 'alice@wonderland.lit/a');
    await expect.poll(() => store.largestCrowd).toBe(1);
    store.onTransfer = () => undefined;
    for (let round = 0; round < 2; round++) {
      expect((await bob.request('READ', 'bob@wonderland.lit/a')).status).toBe(503);
    }
    alice.wire.resume();
    expect((await slow).body).toHaveLength(20_000_000);
  });

  it('F32 does not keep a transfer open whose client went away before its turn', async () => {
    const { gateway, store } = await start();
    const alice = await gateway.logIn('alice');
    store.files.set('/a', { bytes: Buffer.alloc(200_000), fields: {} });
    const asked = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    const put = Promise.withResolvers<void>();
    store.onTransfer = (_, response) => {
      asked.resolve();
      response.on('close', () => put.resolve());
      void gone.promise.then(() => response.writeHead(200, { 'content-length': 200_000 }).write('begun'));
    };
    const read = expect(alice.request('READ', 'alice@wonderland.lit/a')).rejects.toThrow();
    await asked.promise;
    alice.wire.terminate();
    await expect.poll(() => gateway.metric('fosp_gateway_sessions')).toBe(0);
    gone.resolve();
    await put.promise;
    await read;
  });

  it('F32 asks again for a transfer URL that ran out, and fails where the file is another by then', async () => {
    const { gateway, store } = await start();
    const alice = await gateway.logIn('alice');
    store.files.set('/a', { bytes: Buffer.alloc(200_000), fields: { etag: '"1"' } });
    store.onTransfer = (_, response) => {
      store.onTransfer = undefined;
      response.writeHead(403).end();
    };
    expect((await alice.succeed('READ', 'alice@wonderland.lit/a')).body).toHaveLength(200_000);
    store.onTransfer = (_, response) => {
      store.onTransfer = undefined;
      store.files.set('/a', { bytes: Buffer.alloc(300_000), fields: { etag: '"2"' } });
      response.writeHead(403).end();
    };
    expect((await alice.request('READ', 'alice@wonderland.lit/a')).status).toBe(503);
    expect((await alice.succeed('READ', 'alice@wonderland.lit/a')).body).toHaveLength(300_000);
  });

  it('F13 holds its place until its version is settled, and no longer', async () => {
    const { gateway, store } = await start();
    const alice = await gateway.logIn('alice');
    store.files.set('/a', { bytes: Buffer.from('old'), fields: {} });
    const settled = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    store.beforeRead = () => {
      asked.resolve();
      return settled.promise;
    };
    const reading = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const read = alice.request('READ', 'alice@wonderland.lit/a');
    const write = alice.request('WRITE', 'alice@wonderland.lit/a', { body: 'new' });
    await asked.promise;
    expect(store.uploads.size).toBe(0);
    store.onTransfer = (_, response) => {
      store.onTransfer = undefined;
      reading.resolve();
      void finish.promise.then(() => response.writeHead(200, { 'content-length': 3 }).end('old'));
    };
    settled.resolve();
    await reading.promise;
    expect((await write).status).toBe(204);
    finish.resolve();
    expect((await read).body.toString()).toBe('old');
  });

  it('F13 sends many files, large and small, to a client that asks for all at once', async () => {
    const { gateway, store } = await start();
    const alice = await gateway.logIn('alice');
    for (let index = 0; index < 40; index++) {
      store.files.set(`/${index}`, { bytes: Buffer.alloc(index % 14 === 0 ? 12_000_000 : 1000, index), fields: {} });
    }
    const reads = Array.from({ length: 40 }, (_, index) => alice.succeed('READ', `alice@wonderland.lit/${index}`));
    const notification = {
      event: 'notification',
      tree: 'alice@wonderland.lit',
      sequence: '1',
      part: '0',
      source: '',
    } as const;
    gateway.bus.publishToUser('alice@wonderland.lit', notification, Buffer.from('DELETED alice@wonderland.lit/x\r\n'));
    const bodies = (await Promise.all(reads)).map(({ body }) => body);
    expect(bodies.every((body, index) => body.equals(store.files.get(`/${index}`)?.bytes ?? Buffer.alloc(0)))).toBe(
      true,
    );
    await alice.nextNotification();
    expect(store.largestCrowd).toBe(1);
  });
});
