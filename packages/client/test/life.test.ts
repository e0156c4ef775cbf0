/** How a client begins and ends, and what it makes of servers that are not as ours. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type ClientOptions, FospClient } from '../src/index.ts';
import { type Asked, type FakeServer, fakeServer, welcoming } from './fake-server.ts';

const credentials = { user: 'alice', password: 'curiouser' };
const HOME = 'alice@wonderland.lit/';

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('connecting', () => {
  it('rejects where nobody listens, and where nobody speaks WebSocket', async () => {
    await using server = await fakeServer(welcoming());
    server.stop();
    expect(await failureOf(FospClient.connect({ url: server.url }))).toMatchObject({ code: 'unreachable' });
    expect(await failureOf(FospClient.connect({ url: 'http://localhost/' }))).toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('no ws:// or wss://'),
    });
  });

  it.each([
    ['does not open the WebSocket', undefined],
    ['does not answer CONNECT', () => undefined],
  ])('gives up in time where a server %s', async (_, act) => {
    await using server = await fakeServer(act);
    const failure = await failureOf(FospClient.connect({ url: server.url, requestTimeoutMs: 100 }));
    expect(failure).toMatchObject({ code: 'timeout' });
  });

  it.each([
    ['before it began', undefined, 'before'],
    ['while it opens the WebSocket', undefined, 'later'],
    ['while it waits for CONNECT', () => undefined, 'later'],
  ])('F16 is given up by a signal %s', async (_, act, when) => {
    await using server = await fakeServer(act);
    const controller = new AbortController();
    const reason = new Error('changed my mind');
    if (when === 'before') {
      controller.abort(reason);
    }
    const failure = failureOf(FospClient.connect({ url: server.url, signal: controller.signal }));
    setImmediate(() => controller.abort(reason));
    expect(await failure).toBe(reason);
  });

  it('F24 tells of a connection that is closed at login as the server put it', async () => {
    await using server = await fakeServer(({ head, peer, answer }) =>
      head.type === 'CONNECT' ? answer(200, {}) : peer.close(1008, 'go away'),
    );
    expect(await failureOf(FospClient.connect({ url: server.url, credentials }))).toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining('go away'),
    });
  });

  it('F13 comes again where its login was closed for being late when it came back', async () => {
    let logins = 0;
    await using server = await fakeServer((asked) =>
      asked.head.type === 'SELECT' && logins === 1
        ? asked.peer.close(1012, 'restarting')
        : asked.head.type === 'AUTHENTICATE' && ++logins === 2
          ? asked.peer.close(1008, 'AUTHENTICATE is due within 30 s of connecting.')
          : welcoming(({ answer }) => answer(200, { data: 'here' }))(asked),
    );
    const reconnect = { baseMs: 1, capMs: 2, attempts: 5 };
    const client = await FospClient.connect({ url: server.url, credentials, reconnect });
    expect((await client.select('alice@wonderland.lit')).value).toEqual({ data: 'here' });
    expect(logins).toBe(3);
    client.close();
  });

  it('F13 tries again where the server says that it restarts, and not where it leaves', async () => {
    let logins = 0;
    await using server = await fakeServer((asked) =>
      asked.head.type === 'AUTHENTICATE' && ++logins < 3
        ? asked.peer.close(logins === 1 ? 1012 : 1001, 'restarting')
        : welcoming()(asked),
    );
    const reconnect = { baseMs: 1, capMs: 2, attempts: 5 };
    const client = await FospClient.connect({ url: server.url, credentials, reconnect });
    expect([client.user, logins]).toEqual(['alice@wonderland.lit', 3]);
    client.close();
    logins = 1;
    const failure = failureOf(FospClient.connect({ url: server.url, credentials, reconnect }));
    expect(await failure).toMatchObject({ code: 'unreachable', message: expect.stringContaining('1001') });
  });

  it('F18 tells which versions a server speaks', async () => {
    await using server = await fakeServer(({ answer }) => answer(505, { message: 'too old', versions: ['2.0'] }));
    expect(await failureOf(FospClient.connect({ url: server.url }))).toMatchObject({
      code: 'version',
      body: { versions: ['2.0'] },
    });
  });
});

describe('a server that restarts', () => {
  /** Takes three requests on its first connection, answers the second, and closes. */
  function restartingServer(code: number, order: string[]): Promise<FakeServer> {
    const first: Asked[] = [];
    return fakeServer(
      welcoming((asked) => {
        if (first.length === 3) {
          order.push(asked.head.resource?.path ?? '');
          asked.answer(201);
          return;
        }
        first.push(asked);
        if (first.length === 3) {
          first[1]?.answer(201);
          asked.peer.close(code, 'restarting');
        }
      }),
    );
  }
  const reconnect = { baseMs: 1, capMs: 2, attempts: 5 };

  it('F13 is asked again what it did not answer, in the order of asking', async () => {
    const order: string[] = [];
    await using server = await restartingServer(1012, order);
    const client = await FospClient.connect({ url: server.url, credentials, reconnect });
    const before = client.create(`${HOME}a`);
    const after = client.create(`${HOME}b`).then(() => client.create(`${HOME}d`));
    const file = client.write(`${HOME}c`, new Uint8Array(3), { onProgress: () => undefined });
    await Promise.all([before, after, file]);
    expect(order).toEqual(['/a', '/c', '/d']);
    client.close();
  });

  it.each([
    ['that leaves (1001)', 1001, new Uint8Array(3)],
    ['to which a file came that can be sent but once', 1012, [new Uint8Array(3)].values()],
  ])('F13 and one %s is not', async (_, code, body) => {
    const order: string[] = [];
    await using server = await restartingServer(code, order);
    const client = await FospClient.connect({ url: server.url, credentials, reconnect });
    const reads = [client.select(`${HOME}a`), client.create(`${HOME}b`)].map(failureOf);
    const pieces = body instanceof Uint8Array ? body : ReadableStream.from(body);
    const write = failureOf(client.write(`${HOME}c`, pieces));
    expect(await write).toMatchObject({ code: 'unreachable', message: expect.stringContaining(String(code)) });
    await Promise.all(reads);
    expect(order).toEqual(['/a']);
    client.close();
  });
});

describe('a server that is not as ours', () => {
  it('F15 may offer no extensions', async () => {
    await using server = await fakeServer(
      welcoming(({ head, answer }) => answer(200, head.type === 'LIST' ? [JSON.stringify(head.headers)] : {})),
    );
    const client = await FospClient.connect({ url: server.url, credentials });
    expect(client.token).toBeUndefined();
    expect(await Array.fromAsync(client.list(HOME))).toEqual(['{}']);
    expect((await client.select(HOME)).etag).toBeUndefined();
    client.close();
  });

  it.each([
    ['no JSON', 'no JSON', 'bad-gateway'],
    ['no answer in time', undefined, 'timeout'],
  ])('F13 may give %s', async (_, body, code) => {
    await using server = await fakeServer(
      welcoming(({ head, peer }) => body !== undefined && peer.respond(head.sequence, 200, { body })),
    );
    const client = await FospClient.connect({ url: server.url, credentials, requestTimeoutMs: 3_000 });
    expect(await failureOf(client.select(HOME))).toMatchObject({ code });
    client.close();
  });

  it('F9 F15 may send what cannot be read: a gap, since it may have been a notification', async () => {
    await using server = await fakeServer(
      welcoming(({ peer, answer }) => {
        peer.sendRaw('MOVED alice@wonderland.lit/a\r\n');
        peer.sendRaw('CREATED alice@wonderland.lit/a\r\n\r\n{}');
        answer(200, {});
      }),
    );
    const client = await FospClient.connect({ url: server.url, credentials });
    const events = client.notifications();
    await client.select(HOME);
    expect((await events.next()).value).toEqual({ kind: 'gap' });
    expect((await events.next()).value).toMatchObject({ event: 'CREATED', text: '{}' });
    client.close();
  });
});

describe('the end of a client', () => {
  it('ends iterators quietly, and rejects what is in flight and what comes later', async () => {
    await using server = await fakeServer(welcoming());
    const client = await FospClient.connect({ url: server.url, credentials });
    const iterating = Array.fromAsync(client.notifications());
    const asked = [failureOf(client.select(HOME)), failureOf(client.create(`${HOME}a`))];
    client.close();
    client.close();
    expect(await iterating).toEqual([]);
    expect(await Array.fromAsync(client.notifications())).toEqual([]);
    for (const failure of [...(await Promise.all(asked)), await failureOf(client.select(HOME))]) {
      expect(failure).toMatchObject({ code: 'unreachable', message: expect.stringContaining('client is closed') });
    }
  });

  it('throws the reason of its signal to whoever waits', async () => {
    await using server = await fakeServer(welcoming());
    const controller = new AbortController();
    const client = await FospClient.connect({ url: server.url, credentials, signal: controller.signal });
    const next = failureOf(client.notifications().next());
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await next).toBe(reason);
    expect(await failureOf(client.select(HOME))).toBe(reason);
  });
});

const LIBRARY = fileURLToPath(new URL('../src/index.ts', import.meta.url));

/** Runs a program that uses a client; resolves when it ended by itself. */
async function run(url: string, program: string): Promise<string> {
  const options: ClientOptions = { url, credentials, requestTimeoutMs: 60_000 };
  const text = `
    import { FospClient } from ${JSON.stringify(LIBRARY)};
    const options = ${JSON.stringify(options)};
    ${program}
    process.stdout.write('the end');`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', text]);
  return stdout;
}

describe('a process that is done with its client', () => {
  it('ends after close, whatever was going on', async () => {
    await using server = await fakeServer(welcoming());
    const program = `
      const client = await FospClient.connect(options);
      const iterating = Array.fromAsync(client.notifications());
      const asked = Promise.allSettled([client.select('${HOME}'), client.create('${HOME}a'),
        client.write('${HOME}a', (async function* () { yield new Uint8Array(10); await new Promise(() => {}); })())]);
      setImmediate(() => client.close());
      await iterating;
      await asked;`;
    expect(await run(server.url, program)).toBe('the end');
  });

  it('ends after it gave up connecting', async () => {
    await using server = await fakeServer();
    const program = `
      const controller = new AbortController();
      const connecting = FospClient.connect({ ...options, signal: controller.signal }).catch(() => undefined);
      setImmediate(() => controller.abort());
      await connecting;`;
    expect(await run(server.url, program)).toBe('the end');
  });

  it('ends after close between two attempts to connect again', async () => {
    await using server = await fakeServer(welcoming(() => server.stop()));
    const program = `
      const client = await FospClient.connect({ ...options, reconnect: { baseMs: 60_000, capMs: 60_000, attempts: 9 } });
      const asked = client.create('${HOME}a').catch((error) => error.code);
      if (await asked !== 'unreachable') throw new Error('not lost');
      const waiting = client.select('${HOME}').catch((error) => error.code);
      client.close();
      if (await waiting !== 'unreachable') throw new Error('not closed');`;
    expect(await run(server.url, program)).toBe('the end');
  });
});
