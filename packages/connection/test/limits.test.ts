import { describe, expect, it } from 'vitest';
import { connectRaw } from './raw-client.ts';
import { bytesOf, rawFrame } from './raw-frames.ts';
import { startServer, type TestServer } from './server.ts';

const HEAD = 'UPDATE alice@wonderland.lit/a 1\r\n\r\n';

/** A server that takes messages up to 20,000 bytes, answers them with the size of their body, and refuses larger ones. */
async function strictServer(bodyLimit: number): Promise<TestServer> {
  return await startServer({
    limits: { messageBytes: 20_000 },
    prepare: (handler) => {
      handler.planFor = (head) =>
        head.kind === 'request' && head.type === 'WRITE'
          ? { kind: 'stream', limit: bodyLimit }
          : { kind: 'buffer', limit: bodyLimit };
      handler.answer = ({ head, body, oversized }, peer) => {
        peer.respond(head.sequence, oversized ? 413 : 200, { body: String(body.length) });
      };
      handler.tooLarge = (head) => {
        handler.tooLargeOnes.push(head);
        handler.peer?.respond(head?.sequence ?? 0, 413);
      };
      handler.malformed = (sequence, _, notification) => {
        handler.malformedOnes.push(sequence);
        handler.oversizedNotifications.push(...(notification === undefined ? [] : [notification]));
        handler.peer?.respond(sequence, 400);
      };
    },
  });
}

describe('a body over the limit of its plan', () => {
  it.each([
    ['announced', [HEAD + 'x'.repeat(101)]],
    ['that is found out bit by bit', [HEAD + 'x'.repeat(60), 'x'.repeat(41)]],
  ])('%s is dropped, and the connection stays', async (_name, parts) => {
    const server = await strictServer(100);
    const client = await server.connect();
    for (const [index, part] of parts.entries()) {
      client.socket.send(part, { fin: index === parts.length - 1 });
    }
    client.send(HEAD + 'x'.repeat(100));
    expect(await client.texts(2)).toEqual(['FAILED 413 1\r\n\r\n0', 'SUCCEEDED 200 1\r\n\r\n100']);
    expect(server.environment.budget.used).toBe(0);
  });

  it('that comes over many reads of the socket is dropped all the same', async () => {
    const server = await strictServer(100);
    const raw = await connectRaw(server);
    const bytes = rawFrame({ opcode: 1, payload: HEAD + 'x'.repeat(10_000), mask: [1, 2, 3, 4] });
    for (let at = 0; at < bytes.length; at += 1500) {
      await raw.send(bytes.subarray(at, at + 1500));
    }
    expect(await raw.until('FAILED')).toContain('FAILED 413 1\r\n\r\n0');
  });

  it('ends a stream with too-large', async () => {
    const server = await strictServer(100);
    const errors: unknown[] = [];
    const client = await server.connect();
    const [handler] = server.handlers;
    if (handler !== undefined) {
      handler.answer = ({ head, stream }, peer) => {
        void (async () => {
          try {
            for await (const _piece of stream ?? []) {
              // Whatever comes before the limit.
            }
          } catch (error) {
            errors.push(error);
            peer.respond(head.sequence, 413);
          }
        })();
      };
    }
    const head = 'WRITE alice@wonderland.lit/a 1\r\n\r\n';
    client.send(head + 'x'.repeat(101));
    client.socket.send(head + 'x'.repeat(60), { fin: false });
    client.socket.send('x'.repeat(41));
    expect(await client.texts(2)).toEqual(['FAILED 413 1\r\n', 'FAILED 413 1\r\n']);
    expect(errors).toMatchObject([{ code: 'too-large' }, { code: 'too-large' }]);
    expect(server.environment.budget.used).toBe(0);
  });

  it('makes a notification malformed', async () => {
    const server = await strictServer(10);
    const client = await server.connect();
    client.send('CREATED alice@wonderland.lit/a\r\nId: 7\r\n\r\n12345678901');
    client.send('CREATED alice@wonderland.lit/a\r\n\r\n1234567890');
    await server.handlers[0]?.until(() => server.handlers[0]?.notifications.length === 1);
    expect(server.handlers[0]?.malformedOnes).toEqual([0]);
    expect(server.handlers[0]?.oversizedNotifications).toMatchObject([{ event: 'CREATED', headers: { Id: '7' } }]);
    expect(server.handlers[0]?.notifications).toMatchObject([{ body: '1234567890' }]);
  });
});

describe('a message over the limit of the connection', () => {
  it.each([
    ['whole', [HEAD + 'x'.repeat(20_000)], 1],
    ['in fragments', [HEAD + 'x'.repeat(15_000), 'x'.repeat(15_000)], 1],
    ['with a head over its own limit', ['x'.repeat(20_001)], 0],
  ])('%s is answered 413, and the connection closes with 1009', async (_name, parts, sequence) => {
    const server = await strictServer(1_000_000);
    const client = await server.connect();
    for (const [index, part] of parts.entries()) {
      client.socket.send(part, { fin: index === parts.length - 1 });
    }
    client.send(HEAD);
    await client.untilClosed();
    expect(client.messages.map(({ text }) => text)).toEqual([`FAILED 413 ${sequence}\r\n`]);
    expect(client.closes).toMatchObject([{ code: 1009 }]);
    expect(server.handlers[0]).toMatchObject({ requests: [], closes: [{ code: 1009 }] });
    expect(server.environment.budget.used).toBe(0);
  });

  it('is refused when it is announced, before it is sent', async () => {
    const server = await strictServer(1_000_000);
    const raw = await connectRaw(server);
    await raw.send(rawFrame({ opcode: 1, length: 10n ** 15n, mask: [0, 0, 0, 0] }));
    await raw.send(bytesOf(HEAD));
    expect(await raw.until('FAILED 413 1')).toContain('FAILED 413 1');
    await raw.until('\x88');
    expect(server.handlers[0]?.planned).toEqual([]);
  });

  it.each([
    ['answered already', true, 404],
    ['not answered yet', false, 413],
  ])('F34 is answered once where its stream was handed on, and %s', async (_name, answersAtOnce, status) => {
    const server = await strictServer(1_000_000);
    const client = await server.connect();
    const [handler] = server.handlers;
    if (handler !== undefined) {
      handler.answer = ({ head, stream }, peer) => {
        if (answersAtOnce) {
          stream?.cancel();
          peer.respond(head.sequence, 404);
        }
      };
    }
    client.socket.send(`WRITE alice@wonderland.lit/a 1\r\n\r\n${'x'.repeat(15_000)}`, { fin: false });
    client.socket.send('x'.repeat(15_000));
    await client.untilClosed();
    expect(client.messages.map(({ text }) => text)).toEqual([`FAILED ${status} 1\r\n`]);
    expect(client.closes).toMatchObject([{ code: 1009 }]);
    expect(server.environment.budget.used).toBe(0);
  });

  it('goes by the limit as it is now', async () => {
    const server = await strictServer(1_000_000);
    const client = await server.connect();
    client.send(HEAD + 'x'.repeat(15_000));
    await client.texts(1);
    server.handlers[0]?.peer?.setMessageLimit(10_000);
    client.send(HEAD + 'x'.repeat(15_000));
    await client.untilClosed();
    expect(client.messages.map(({ text }) => text)).toEqual(['SUCCEEDED 200 1\r\n\r\n15000', 'FAILED 413 1\r\n']);
  });
});

describe('a message without a readable head', () => {
  it.each([
    ['an empty message', ['']],
    ['an empty message in fragments', ['', '']],
    ['a head that does not end', [`UPDATE alice@wonderland.lit/a\r\nX: ${'x'.repeat(9000)}\r\n\r\n`]],
    [
      'the same, cut in two',
      [`UPDATE alice@wonderland.lit/a\r\nX: ${'x'.repeat(5000)}`, `${'x'.repeat(4000)}\r\n\r\n`],
    ],
    ['no FOSP', ['GET / HTTP/1.1\r\n\r\n']],
    ['half a request', ['UPDATE alice@won']],
  ])('F9 %s is malformed, and the connection stays', async (_name, parts) => {
    const server = await strictServer(100);
    const client = await server.connect();
    for (const [index, part] of parts.entries()) {
      client.socket.send(part, { fin: index === parts.length - 1 });
    }
    client.send(`${HEAD}x`);
    expect(await client.texts(2)).toEqual(['FAILED 400 0\r\n', 'SUCCEEDED 200 1\r\n\r\n1']);
    expect(server.environment.budget.used).toBe(0);
  });

  it('F9 keeps its sequence number where that can be read', async () => {
    const server = await strictServer(100);
    const client = await server.connect();
    client.send('SELECT not-a-resource 42\r\n');
    client.socket.send('SELECT not-a', { fin: false });
    client.socket.send('-resource 43\r\n\r\nbody', { fin: true });
    expect(await client.texts(2)).toEqual(['FAILED 400 42\r\n', 'FAILED 400 43\r\n']);
  });
});

it('a request without a body may be cut anywhere, and end after its start line', async () => {
  const server = await strictServer(100);
  const raw = await connectRaw(server);
  const bytes = rawFrame({ opcode: 1, payload: 'SELECT alice@wonderland.lit/a 1\r\n', mask: [5, 6, 7, 8] });
  for (const byte of bytes) {
    await raw.send(Uint8Array.of(byte));
  }
  expect(await raw.until('200 1')).toContain('SUCCEEDED 200 1\r\n\r\n0');
});
