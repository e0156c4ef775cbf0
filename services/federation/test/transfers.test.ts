import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ALICE, BOB, Federation } from './harness.ts';
import { type PeerLink, type PeerMessage, TestPeer, until } from './test-peer.ts';

const MIB = 1024 * 1024;

describe('files of another domain', () => {
  it('F32 are read by one GET, over a link of their own', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    const file = Buffer.from([0, 1, 2, 0xff, 0xfe]);
    const url = await federation.transfer('READ');
    const fetched = fetch(url);
    const link = await peer.link();
    const request = await link.next();
    expect(request).toMatchObject({ type: 'READ', headers: { From: ALICE, User: ALICE } });
    const headers = { 'Content-Type': 'text/plain; charset=ü', 'File-Name': 'a%20b', To: ALICE, User: ALICE };
    link.answer(request, { status: 200, headers, body: file }, { binary: true });
    const response = await fetched;
    expect(response.headers.get('fosp-status')).toBe('200');
    expect(JSON.parse(response.headers.get('fosp-headers') ?? '')).toEqual({
      'Content-Type': 'text/plain; charset=ü',
      'File-Name': 'a%20b',
    });
    expect(Buffer.from(await response.arrayBuffer())).toEqual(file);
  });

  it('F32 are read where an older server sends raw bytes in text frames, in fragments, or none at all', async () => {
    await using peer = await TestPeer.start({ greet: () => ({ status: 200 }) });
    await using federation = await Federation.start({ peer });
    const file = Buffer.from([0x80, 0xff, 0, 0xc3]);
    const read = async (answer: (link: PeerLink, request: PeerMessage) => void) => {
      const fetched = fetch(await federation.transfer('READ'));
      const link = peer.all[0] ?? (await peer.link());
      answer(link, await link.next());
      const response = await fetched;
      return [response.headers.get('fosp-status'), Buffer.from(await response.arrayBuffer())];
    };
    expect(await read((link, request) => link.answer(request, { status: 200, body: file }))).toEqual(['200', file]);
    const fragments = await read(({ wire }, { words }) => {
      wire.sendPart(`SUCCEEDED 200 ${words[1]}\r\n\r\n`);
      wire.sendPart(file);
      wire.sendPart(file, { isLast: true });
    });
    expect(fragments).toEqual(['200', Buffer.concat([file, file])]);
    expect(await read((link, request) => link.answer(request, { status: 200 }))).toEqual(['200', Buffer.alloc(0)]);
    expect(await read((link, request) => link.answer(request, { status: 404, body: '{"message":"no"}' }))).toEqual([
      '404',
      Buffer.from('{"message":"no"}'),
    ]);
  });

  it('F31 are written by one PUT, whole', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    const file = Buffer.alloc(3 * MIB, 'tea ');
    const url = await federation.transfer('WRITE', { size: file.length, headers: { 'Content-Type': 'text/plain' } });
    const put = fetch(url, { method: 'PUT', body: file });
    const link = await peer.link();
    const request = await link.next();
    expect(request).toMatchObject({
      type: 'WRITE',
      headers: { From: ALICE, 'Content-Type': 'text/plain' },
      binary: true,
    });
    expect(request.body.equals(file)).toBe(true);
    link.answer(request, { status: 204, headers: { ETag: '"1"' } });
    const response = await put;
    expect([response.headers.get('fosp-status'), response.headers.get('fosp-headers')]).toEqual([
      '204',
      '{"ETag":"\\"1\\""}',
    ]);
    const empty = fetch(await federation.transfer('WRITE', { size: 0 }), { method: 'PUT', body: new Uint8Array(0) });
    const second = await link.next();
    expect(second.body).toHaveLength(0);
    link.answer(second, { status: 204 });
    expect((await empty).headers.get('fosp-status')).toBe('204');
  });

  it('F31 are written whose size is not known beforehand', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    const put = fetch(await federation.transfer('WRITE'), {
      method: 'PUT',
      body: new Blob(['a', 'b', 'c']).stream(),
      duplex: 'half',
    });
    const link = await peer.link();
    const request = await link.next();
    expect(request.body.toString()).toBe('abc');
    link.answer(request, { status: 403, body: '{"message":"no"}' });
    const response = await put;
    expect([response.headers.get('fosp-status'), await response.text()]).toEqual(['403', '{"message":"no"}']);
  });

  it('are had by their URL once, and by no other', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    const url = await federation.transfer('READ');
    expect((await fetch(url, { method: 'PUT', body: 'x' })).status).toBe(403);
    // It was used, though for the wrong thing.
    expect((await fetch(url)).status).toBe(403);
    expect((await fetch(`${url}x`)).status).toBe(403);
    expect((await fetch(new URL('/', url))).status).toBe(403);
    const another = await federation.transfer('READ');
    expect(another).not.toBe(url);
    expect(new URL(another).pathname.length).toBeGreaterThan(40);
    expect(peer.all).toHaveLength(0);
    await using short = await Federation.start({ peer, limits: { grantSeconds: 0 } });
    expect((await fetch(await short.transfer('READ'))).status).toBe(403);
  });

  it('take no more memory than a few pieces, in either direction', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    const response = fetch(await federation.transfer('READ'));
    const link = await peer.link();
    const request = await link.next();
    link.wire.sendPart(`SUCCEEDED 200 ${request.words[1]}\r\n\r\n`, { binary: true });
    const piece = Buffer.alloc(MIB, 'x');
    for (let count = 0; count < 48; count++) {
      link.wire.sendPart(piece);
    }
    link.wire.sendPart('', { isLast: true });
    const { body } = await response;
    // Nobody reads: most of it must still be at the sender.
    await settled(() => link.wire.unsent);
    expect(link.wire.unsent).toBeGreaterThan(24 * MIB);
    const hash = createHash('sha256');
    for await (const chunk of body ?? []) {
      hash.update(chunk);
    }
    expect(hash.digest('hex')).toBe(
      createHash('sha256')
        .update(Buffer.alloc(48 * MIB, 'x'))
        .digest('hex'),
    );

    let pulled = 0;
    const source = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        if (pulled++ < 48) {
          controller.enqueue(piece);
        } else {
          controller.close();
        }
      },
    });
    link.wire.pause();
    const put = fetch(await federation.transfer('WRITE'), { method: 'PUT', body: source, duplex: 'half' });
    await settled(() => pulled);
    expect(pulled).toBeGreaterThan(0);
    expect(pulled).toBeLessThan(24);
    link.wire.resume();
    const written = await link.next();
    expect(written.body).toHaveLength(48 * MIB);
    link.answer(written, { status: 204 });
    expect((await put).headers.get('fosp-status')).toBe('204');
  });

  it('break off on one side where they do on the other', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    const cut = await federation.transfer('READ');
    const response = fetch(cut);
    const link = await peer.link();
    link.wire.sendPart(`SUCCEEDED 200 ${(await link.next()).words[1]}\r\n\r\nhalf of`);
    const { body } = await response;
    link.wire.terminate();
    await expect(new Response(body).text()).rejects.toThrow();

    const given = new AbortController();
    const aborted = fetch(await federation.transfer('READ'), { signal: given.signal });
    const next = await peer.link();
    next.wire.sendPart(`SUCCEEDED 200 ${(await next.next()).words[1]}\r\n\r\nhalf of`);
    await aborted;
    given.abort();
    expect(await next.wire.closed).toMatchObject({ code: 1000 });

    const sending = new AbortController();
    const endless = new ReadableStream<Uint8Array>({ pull: slowly });
    const url = await federation.transfer('WRITE');
    const put = fetch(url, { method: 'PUT', body: endless, duplex: 'half', signal: sending.signal }).catch(
      () => undefined,
    );
    const third = await peer.link();
    await until(async () => (await federation.metric('fosp_federation_file_bytes_total{direction="up"}')) > 0, 'bytes');
    sending.abort();
    await put;
    expect(await third.wire.closed).toMatchObject({ code: 1011 });
    expect(federation.lines.filter(({ msg }) => msg === 'a transfer failed unexpectedly')).toEqual([]);
  });

  it('are had by others, however often one of them breaks off', async () => {
    await using peer = await TestPeer.start();
    const limits = { pauses: { first: 60_000, longest: 60_000 }, transferDials: { perSecond: 100, burst: 10 } };
    await using federation = await Federation.start({ peer, limits });
    for (let count = 0; count < 3; count++) {
      const broken = fetch(await federation.transfer('READ'));
      const link = await peer.link();
      link.wire.sendPart(`SUCCEEDED 200 ${(await link.next()).words[1]}\r\n\r\nhalf of`);
      const { body } = await broken;
      link.wire.close(1011);
      await expect(new Response(body).text()).rejects.toThrow();
    }
    const whole = fetch(await federation.transfer('READ', { user: BOB }));
    const link = await peer.link();
    link.answer(await link.next(), { status: 200, body: 'a file' }, { binary: true });
    expect(await (await whole).text()).toBe('a file');
  });

  it('cost a link where the other side refuses them early only if much of them is missing', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer, limits: { filling: 100_000 } });
    const refuseEarly = async (size: number, sequence: number) => {
      const { request, response } = await putHalf(await federation.transfer('WRITE', { size }), size);
      const link = peer.all[0] ?? (await peer.link());
      const before = await federation.metric('fosp_federation_file_bytes_total{direction="up"}');
      await until(
        async () => (await federation.metric('fosp_federation_file_bytes_total{direction="up"}')) > before,
        'bytes',
      );
      link.send(`FAILED 403 ${sequence}`, { body: '{"message":"no"}' });
      expect((await response).headers['fosp-status']).toBe('403');
      request.destroy();
      return link;
    };
    // CONNECT and AUTHENTICATE were before it.
    const link = await refuseEarly(90_000, 3);
    expect((await link.next()).body).toHaveLength(90_000);
    await refuseEarly(200_000, 4);
    expect((await link.wire.closed).code).not.toBe(1000);
    expect(peer.all).toHaveLength(1);
  });

  it('leave the connection to the next one where the other side refused one early, and the rest of it still goes out', async () => {
    await using peer = await TestPeer.start();
    // More than sockets take in of what nobody reads.
    const size = 32 * MIB;
    await using federation = await Federation.start({ peer, limits: { filling: size } });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const headers = { 'content-length': size };
    const first = fetch(await federation.transfer('READ'));
    const link = await peer.link();
    link.answer(await link.next(), { status: 404, body: '{"message":"no"}' });
    await (await first).text();
    link.wire.pause();
    const url = await federation.transfer('WRITE', { size });
    const put = httpRequest(url, { method: 'PUT', headers, agent }).end(Buffer.alloc(size, 'x'));
    const sent = () => federation.metric('fosp_federation_file_bytes_total{direction="up"}');
    await until(async () => (await sent()) > 0, 'bytes');
    // CONNECT, AUTHENTICATE and READ were before it.
    link.send('FAILED 403 4', { body: '{"message":"no"}' });
    const [refused] = await once(put, 'response');
    expect(refused.headers['fosp-status']).toBe('403');
    refused.resume();
    await until(() => put.writableFinished, 'the rest to be taken');
    const get = httpRequest(await federation.transfer('READ'), { agent }).end();
    link.wire.resume();
    expect((await link.next()).body).toHaveLength(size);
    const read = await link.next();
    expect(read.type).toBe('READ');
    link.answer(read, { status: 404, body: '{"message":"no"}' });
    const [answer] = await once(get, 'response');
    expect(answer.headers['fosp-status']).toBe('404');
    agent.destroy();
  });

  it('share their links fairly among users, and are cut where they stand still', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer, limits: { stallSeconds: 4 } });
    const reads = [];
    for (const user of [ALICE, ALICE, ALICE, ALICE, BOB]) {
      reads.push(fetch(await federation.transfer('READ', { user })).catch((error: unknown) => error));
    }
    const users: unknown[] = [];
    const links = [await peer.link(), await peer.link(), await peer.link()];
    for (const link of links) {
      users.push((await link.next()).headers['From']);
    }
    expect(users.sort()).toEqual([ALICE, ALICE, BOB]);
    expect(await federation.metric('fosp_federation_links')).toBe(3);
    for (const link of links) {
      await link.wire.closed;
    }
    expect((await Promise.race(reads)) instanceof Error).toBe(true);
  });
});

/** Begins a PUT, and does not go on. */
async function putHalf(url: string, size: number) {
  const request = httpRequest(url, { method: 'PUT', headers: { 'content-length': size } });
  request.on('error', () => undefined);
  const response = new Promise<IncomingMessage>((resolve) => request.once('response', resolve));
  request.write(Buffer.alloc(1000));
  return { request, response };
}

async function slowly(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 5));
  controller.enqueue(Buffer.alloc(1000));
}

/** Resolves once a level that has risen does not change any more. */
async function settled(level: () => number): Promise<void> {
  for (let [last, same] = [-1, 0]; same < 20; same = last > 0 && level() === last ? same + 1 : 0) {
    last = level();
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
