import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { FederationStandIn } from './federation-stand-in.ts';
import { startGateway } from './harness.ts';

const MIB = 1024 * 1024;
const FILE = 'sister@realworld.lit/file';

async function start(options: Parameters<typeof startGateway>[0] = {}) {
  const gateway = await startGateway(options);
  const federation = await FederationStandIn.serve(gateway.bus);
  await federation.own('realworld.lit');
  return { gateway, federation, alice: await gateway.logIn('alice') };
}

/** Answers with the head of a response of the other domain. */
function head(response: ServerResponse, status: number, headers: Record<string, string> = {}, size?: number): void {
  response.writeHead(200, {
    'fosp-status': String(status),
    'fosp-headers': JSON.stringify(headers),
    ...(size === undefined ? {} : { 'content-length': size }),
  });
}

describe('READ of another domain', () => {
  it.each([
    ['known', 3 * MIB, true],
    ['not known', 3 * MIB, false],
    ['known and small', 1000, true],
    ['not known and small', 1000, false],
  ])('F32 F61 streams a file whose size is %s as one binary message', async (_, size, isKnown) => {
    const { gateway, federation, alice } = await start();
    const file = randomBytes(size);
    federation.onTransfer = (_request, response) => {
      head(response, 200, { 'Content-Type': 'image/png', User: 'alice', ETag: '"7"' }, isKnown ? size : undefined);
      response.write(file.subarray(0, 500));
      response.end(file.subarray(500));
    };
    const read = await alice.succeed('READ', FILE, { headers: { 'X-Mark': '1' } });
    expect(read).toMatchObject({ status: 200, binary: true });
    expect(read.headers).toEqual({ 'Content-Type': 'image/png' });
    expect(read.body.equals(file)).toBe(true);
    expect(await gateway.metric('fosp_gateway_attachment_bytes_total{direction="down"}')).toBe(size);
    expect(federation.transferred).toEqual([
      {
        ...{ user: 'alice@wonderland.lit', type: 'READ', tree: 'sister@realworld.lit', path: '/file' },
        headers: '{"X-Mark":"1"}',
      },
    ]);
  });

  it.each([0, undefined])('F32 gives an empty file as text without a body (size %s)', async (size) => {
    const { federation, alice } = await start();
    federation.onTransfer = (_, response) => {
      head(response, 200, {}, size);
      response.end();
    };
    const read = await alice.succeed('READ', FILE);
    expect(read).toMatchObject({ status: 200, binary: false });
    expect(read.body).toHaveLength(0);
  });

  it('F34 answers as the other domain refuses, and 502 where nobody does', async () => {
    const { gateway, federation, alice } = await start();
    federation.onTransfer = (_, response) => {
      head(response, 404, { 'Retry-After': '3' });
      response.end('{"message":"no file"}');
    };
    const refused = await alice.request('READ', FILE);
    expect(refused).toMatchObject({ status: 404, binary: false, headers: { 'Retry-After': '3' } });
    expect(refused.body.toString()).toBe('{"message":"no file"}');
    for (const answer of [
      (response: ServerResponse) => response.writeHead(404).end(),
      (response: ServerResponse) => response.destroy(),
      (response: ServerResponse) => {
        head(response, 404);
        response.end(Buffer.alloc(MIB));
      },
    ]) {
      federation.onTransfer = (_, response) => void answer(response);
      expect((await alice.request('READ', FILE)).status).toBe(502);
    }
    expect(await gateway.metric('fosp_gateway_requests_total{type="READ",status="502"}')).toBe(3);
  });

  it('F32 ends the connection with 1011 when a file breaks off, since its message cannot be completed', async () => {
    const { federation, alice } = await start();
    federation.onTransfer = (_, response) => {
      head(response, 200);
      response.write(Buffer.alloc(MIB), () => response.destroy());
    };
    alice.request('READ', FILE).catch(() => undefined);
    expect((await alice.wire.closed).code).toBe(1011);
  });

  it('F32 takes a large file no faster than its reader does, and two at a time', async () => {
    const { federation, alice } = await start();
    const size = 48 * MIB;
    let begun = 0;
    let sent = 0;
    federation.onTransfer = (_, response) => {
      begun++;
      head(response, 200, {}, size);
      const send = () => {
        while (sent < size * begun && response.write(Buffer.alloc(MIB))) {
          sent += MIB;
        }
      };
      response.on('drain', () => {
        sent += MIB;
        send();
      });
      send();
    };
    alice.wire.pause();
    const reads = [alice.succeed('READ', FILE), alice.succeed('READ', FILE), alice.succeed('READ', FILE)];
    await expect.poll(() => begun).toBe(2);
    // As long as nobody reads, it comes to a standstill, far from the end.
    let before = -1;
    await expect
      .poll(
        () => {
          const isStill = sent === before;
          before = sent;
          return isStill;
        },
        { interval: 200 },
      )
      .toBe(true);
    expect(sent).toBeLessThan(size);
    expect(begun).toBe(2);
    for (const read of reads) {
      read.catch(() => undefined);
    }
    alice.wire.terminate();
  });
});

describe('READ of another domain behind another large file', () => {
  it.each([
    ['the same version', '"7"', 200],
    ['another version', '"8"', 503],
  ])('F32 is asked for again where it was given up meanwhile, and gives %s', async (_, tag, status) => {
    const { gateway, federation, alice } = await start();
    const [first, second] = [randomBytes(24 * MIB), randomBytes(MIB)];
    const waiting = Promise.withResolvers<ServerResponse>();
    const tags = ['"1"', '"7"', tag];
    federation.onTransfer = (_request, response) => {
      const ETag = tags.shift() ?? '';
      const file = ETag === '"1"' ? first : second;
      head(response, 200, { ETag }, file.length);
      if (tags.length === 1) {
        response.write(file.subarray(0, 1000));
        waiting.resolve(response);
      } else {
        response.end(file);
      }
    };
    alice.wire.pause();
    const before = alice.succeed('READ', FILE);
    const moved = () => gateway.metric('fosp_gateway_attachment_bytes_total{direction="down"}');
    await expect.poll(moved).toBeGreaterThan(0);
    const behind = alice.request('READ', `${FILE}/b`);
    const response = await waiting.promise;
    response.destroy();
    alice.wire.resume();
    expect((await before).body.equals(first)).toBe(true);
    const read = await behind;
    expect(read.status).toBe(status);
    expect(read.body.equals(second)).toBe(status === 200);
    expect(federation.transferred.map(({ path }) => path)).toEqual(['/file', '/file/b', '/file/b']);
  });
});

describe('WRITE of another domain', () => {
  it('F31 F61 streams a file of any size, announced or not, and answers as the other domain does', async () => {
    const { federation, alice } = await start();
    const received: { readonly bytes: Buffer; readonly length: string | undefined }[] = [];
    federation.onTransfer = async (request, response) => {
      received.push({ bytes: Buffer.concat(await request.toArray()), length: request.headers['content-length'] });
      head(response, 204, { ETag: '"8"' });
      response.end();
    };
    const file = randomBytes(9_000_000);
    const headers = { 'Content-Type': 'image/png', From: 'queen@wonderland.lit' };
    expect(await alice.request('WRITE', FILE, { headers, body: file })).toMatchObject({ status: 204, headers: {} });
    alice.wire.sendFragments([`WRITE ${FILE} 900\r\n\r\n`, file.subarray(0, 1_000_000), file.subarray(1_000_000)]);
    await alice.succeed('WRITE', FILE);
    expect(received.map(({ length }) => length)).toEqual([String(file.length), undefined, '0']);
    expect(received.slice(0, 2).every(({ bytes }) => bytes.equals(file))).toBe(true);
    expect(federation.transferred[0]).toEqual({
      ...{ user: 'alice@wonderland.lit', type: 'WRITE', tree: 'sister@realworld.lit', path: '/file' },
      ...{ headers: '{"Content-Type":"image/png"}', size: String(file.length) },
    });
  });

  it('F34 ends with a refusal that comes before its end', async () => {
    const { federation, alice } = await start();
    federation.onTransfer = (_, response) => {
      head(response, 403);
      response.end('{"message":"no right"}');
    };
    const refused = await alice.request('WRITE', FILE, { body: Buffer.alloc(20 * MIB) });
    expect(refused.status).toBe(403);
    expect(refused.body.toString()).toBe('{"message":"no right"}');
    federation.onTransfer = async (request, response) => {
      await request.toArray();
      head(response, 204);
      response.end();
    };
    await alice.succeed('WRITE', FILE, { body: 'after' });
  });

  it('F31 tells the other side that a file broke off, and does not let it seem whole', async () => {
    const { federation, alice } = await start();
    const ended = Promise.withResolvers<boolean>();
    federation.onTransfer = (request) => {
      request.on('data', () => alice.wire.terminate());
      request.on('error', () => undefined);
      request.on('close', () => ended.resolve(request.complete));
    };
    alice.wire.sendPart(`WRITE ${FILE} 900\r\n\r\n`);
    alice.wire.sendPart(Buffer.alloc(200_000));
    expect(await ended.promise).toBe(false);
  });

  it('F34 fails with 502 where the federation service does nothing, and has patience with a slow client', async () => {
    const { federation, alice } = await start({ limits: { foreignStallSeconds: 2 } });
    const silent = Promise.withResolvers<void>();
    federation.onTransfer = (request) => {
      request.pause();
      silent.resolve();
    };
    const stalled = alice.request('WRITE', FILE, { body: Buffer.alloc(20 * MIB) });
    await silent.promise;
    expect((await stalled).status).toBe(502);
    const received = Promise.withResolvers<Buffer>();
    const begun = Promise.withResolvers<void>();
    federation.onTransfer = async (request, response) => {
      begun.resolve();
      received.resolve(Buffer.concat(await request.toArray()));
      head(response, 204);
      response.end();
    };
    alice.wire.sendPart(`WRITE ${FILE} 900\r\n\r\n`);
    alice.wire.sendPart('slow');
    await begun.promise;
    // Longer than the federation service may take.
    await new Promise((resolve) => setTimeout(resolve, 4500));
    alice.wire.sendFragments([' but sure']);
    expect((await received.promise).toString()).toBe('slow but sure');
  });
});
