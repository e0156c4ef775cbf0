import { describe, expect, it } from 'vitest';
import { ALICE, BOB, Federation, REALWORLD, SISTER } from '../harness.ts';
import { EXTENSIONS, TestPeer } from '../test-peer.ts';

describe('requests for another domain', () => {
  it('F61 F63 are sent over a link on which this server logged in as one of its domain', async () => {
    const said: Record<string, unknown>[] = [];
    await using peer = await TestPeer.start({
      greet: (body) => {
        said.push(body);
        return { status: 200, body: JSON.stringify({ version: '0.1', nonce: 'n0nce' }) };
      },
      logIn: (body) => {
        said.push(body);
        return { status: 200 };
      },
    });
    await using federation = await Federation.start({ peer });
    const answered = federation.forward('SELECT');
    const link = await peer.link();
    const request = await link.next();
    expect(said).toEqual([
      { version: '0.1', domain: REALWORLD, extensions: ['etag', 'page', 'ack', 'retire'] },
      { type: 'server', domain: 'wonderland.lit', key: expect.any(String) },
    ]);
    expect(request).toMatchObject({
      type: 'SELECT',
      words: [`${SISTER}/a`, expect.stringMatching(/^\d+$/)],
      headers: { From: ALICE, User: ALICE },
      binary: false,
    });
    link.answer(request, { status: 200, headers: { To: ALICE, User: ALICE }, body: '{"data":"tea"}' });
    expect(await answered).toEqual({ status: 200, headers: {}, body: '{"data":"tea"}' });
  });

  it('F61 carry the body untouched, share one link, and are answered each by its number', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    const body = '{ "data" : 12345678901234567890 }';
    const created = federation.forward('CREATE', { body });
    const updated = federation.forward('UPDATE', { user: BOB, path: '/b', body: '{"type":"ü"}' });
    const link = await peer.link();
    const requests = [await link.next(), await link.next()];
    expect(
      requests.map(({ type, headers, body: sent, binary }) => [type, headers['From'], sent.toString(), binary]),
    ).toEqual([
      ['CREATE', ALICE, body, false],
      ['UPDATE', BOB, '{"type":"ü"}', false],
    ]);
    for (const request of requests.reverse()) {
      link.answer(request, request.type === 'CREATE' ? { status: 201 } : { status: 412, body: '{"message":"no"}' });
    }
    expect(await created).toEqual({ status: 201, headers: {}, body: '' });
    expect(await updated).toEqual({ status: 412, headers: {}, body: '{"message":"no"}' });
    expect(peer.all).toHaveLength(1);
  });

  it('have headers of extensions where the other side has the extension', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    const headers = { 'If-Match': '"3"', Limit: '2', After: 'a', 'X-Other': 'x', From: 'mallory@wonderland.lit' };
    const listed = federation.forward('LIST', { headers });
    const link = await peer.link();
    const request = await link.next();
    expect(request.headers).toEqual({ From: ALICE, User: ALICE, 'If-Match': '"3"', Limit: '2', After: 'a' });
    link.answer(request, { status: 200, headers: { ETag: '"3"', Next: 'c', 'X-Other': 'x' }, body: '["b","c"]' });
    expect(await listed).toEqual({ status: 200, headers: { ETag: '"3"', Next: 'c' }, body: '["b","c"]' });
  });

  it('are refused where they depend on an extension that the other side does not have', async () => {
    await using peer = await TestPeer.start({ greet: () => ({ status: 200 }) });
    await using federation = await Federation.start({ peer });
    for (const [type, headers, why] of [
      ['UPDATE', { 'If-Match': '"3"' }, /extension etag/],
      ['SELECT', { 'If-None-Match': '"3"' }, /extension etag/],
      ['LIST', { After: 'b' }, /extension page/],
    ] as const) {
      await expect(federation.forward(type, { headers })).rejects.toMatchObject({
        code: 'bad-gateway',
        message: expect.stringMatching(why),
      });
    }
    const listed = federation.forward('LIST', { headers: { Limit: '1' } });
    const link = await peer.link();
    const request = await link.next();
    expect(request.headers).toEqual({ From: ALICE, User: ALICE });
    link.answer(request, { status: 200, body: '["a","b"]' });
    expect(await listed).toMatchObject({ status: 200, body: '["a","b"]' });
  });

  it('reach older servers, which say nothing of themselves', async () => {
    await using peer = await TestPeer.start({
      greet: () => ({ status: 200, body: 'hello' }),
      logIn: () => ({ status: 200 }),
    });
    await using federation = await Federation.start({ peer });
    const answered = federation.forward('SELECT');
    const link = await peer.link();
    const request = await link.next();
    // The spelling of the draft's grammar, in a binary frame.
    link.send(`SUCCEDED 200 ${request.words[1]}`, { headers: { User: 'alice' }, body: '{}' }, { binary: true });
    expect(await answered).toEqual({ status: 200, headers: {}, body: '{}' });
  });

  it.each([
    ['SUCCEEDED 500', '{}', 'the status 500 of a success'],
    ['FAILED 200', '{}', 'the status 200 of a failure'],
    ['FAILED 499', '{}', 'the status 499 of a failure'],
    ['SUCCEEDED 200', 'no JSON', 'a body that is no object'],
    ['SUCCEEDED 200', '[]', 'a body that is no object'],
    ['SUCCEEDED 200', Buffer.from('{"data":"\xff"}', 'latin1'), 'a body that is no object'],
    ['FAILED 401', '{"message":"Authenticate first."}', 'it answered 401'],
    ['FAILED 421', '{"message":"Not mine."}', 'it answered 421'],
    ['FAILED 424', '{}', 'it answered 424'],
  ])('are answered 502 where the other side answers nonsense: %s %s', async (start, body, why) => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    const answered = federation.forward('SELECT');
    const link = await peer.link();
    const request = await link.next();
    link.send(`${start} ${request.words[1]}`, { body });
    await expect(answered).rejects.toMatchObject({ code: 'bad-gateway', message: expect.stringContaining(why) });
  });

  it('are answered as local ones where the other side is odd, but means well', async () => {
    await using peer = await TestPeer.start();
    await using federation = await Federation.start({ peer });
    const ask = async (type: string, answer: { readonly status: number; readonly body?: string }) => {
      const answered = federation.forward(type);
      const link = peer.all[0] ?? (await peer.link());
      link.answer(await link.next(), answer);
      return answered;
    };
    expect(await ask('UPDATE', { status: 200, body: '{"done":true}' })).toEqual({ status: 204, headers: {}, body: '' });
    expect(await ask('DELETE', { status: 200 })).toEqual({ status: 204, headers: {}, body: '' });
    expect(await ask('SELECT', { status: 404 })).toMatchObject({
      status: 404,
      body: expect.stringContaining('message'),
    });
    expect(await ask('SELECT', { status: 403, body: 'go away' })).toMatchObject({
      status: 403,
      body: expect.not.stringContaining('go away'),
    });
    expect(await ask('SELECT', { status: 304, body: '{}' })).toEqual({ status: 304, headers: {}, body: '' });
  });

  it('share the link fairly: one user’s requests keep no other user’s waiting', async () => {
    await using peer = await TestPeer.start({
      greet: () => ({ status: 200, body: JSON.stringify({ extensions: EXTENSIONS, limits: { requests: 4 } }) }),
    });
    await using federation = await Federation.start({ peer, limits: { requestsPerLink: 6, waitingPerUser: 20 } });
    const first = federation.forward('SELECT');
    const link = await peer.link();
    link.answer(await link.next(), { status: 200, body: '{}' });
    await first;
    const greedy = Array.from({ length: 20 }, (_, at) => federation.forward('SELECT', { path: `/a${at}` }));
    const modest = Array.from({ length: 3 }, (_, at) => federation.forward('SELECT', { user: BOB, path: `/b${at}` }));
    const taken = [];
    for (let count = 0; count < 6; count++) {
      taken.push(await link.next());
    }
    const users = taken.map(({ headers }) => headers['From']);
    // Four is what the other side takes of one user.
    expect(users.filter((user) => user === ALICE)).toHaveLength(4);
    expect(users.filter((user) => user === BOB)).toHaveLength(2);
    expect(link.messages.size).toBe(0);
    for (const request of taken) {
      link.answer(request, { status: 200, body: '{}' });
    }
    for (let count = 0; count < 17; count++) {
      const request = await link.next();
      users.push(request.headers['From']);
      link.answer(request, { status: 200, body: '{}' });
    }
    await Promise.all([...greedy, ...modest]);
    expect(users.lastIndexOf(BOB)).toBeLessThan(8);
    expect(peer.all).toHaveLength(1);
  });

  it('are refused where too many of one user wait, and where too many wait', async () => {
    await using peer = await TestPeer.start({ logIn: () => undefined });
    const limits = { waitingPerUser: 3, waiting: 5, waitSeconds: 0.5, loginSeconds: 0.3 };
    await using federation = await Federation.start({ peer, limits });
    const ask = (user: string) => federation.forward('SELECT', { user }).catch((error: { code: string }) => error.code);
    const users = [ALICE, ALICE, ALICE, ALICE, BOB, BOB, BOB];
    expect(await Promise.all(users.map(ask))).toEqual([
      ...['unreachable', 'unreachable', 'unreachable', 'too-many'],
      ...['unreachable', 'unreachable', 'unavailable'],
    ]);
  });
});
