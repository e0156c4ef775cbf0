import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IncomingRequest, Peer } from '../src/index.ts';
import { bytesOf } from './raw-frames.ts';
import type { RecordingHandler } from './recording-handler.ts';
import { MIB, startServer } from './server.ts';

const NOISE = Uint8Array.from({ length: 3 * MIB }, (_byte, index) => (index * 31 + (index >> 8)) & 255);

/** Answers with the body that came, streamed where it streamed. */
function echo(handler: RecordingHandler): void {
  handler.planFor = (head) =>
    head.kind === 'request' && head.type === 'WRITE'
      ? { kind: 'stream', limit: 64 * MIB }
      : { kind: 'buffer', limit: 64 * MIB };
  handler.answer = (request, peer) => {
    if (request.stream === undefined) {
      peer.respond(request.head.sequence, 200, { body: request.body, frame: request.frame });
    } else {
      void sendBack(request, peer);
    }
  };
}

async function sendBack({ head, stream }: IncomingRequest, peer: Peer): Promise<void> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream ?? []) {
    pieces.push(piece);
  }
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  await peer.respondStream(head.sequence, 200, { body: each(pieces), size, headers: { 'Content-Type': 'image/png' } });
}

async function* each(pieces: Iterable<Uint8Array>): AsyncIterable<Uint8Array> {
  yield* pieces;
}

describe('requests from another WebSocket implementation', () => {
  it('F1 F2 F5 F6 are answered, text and binary alike', async () => {
    const server = await startServer({ prepare: echo });
    const client = await server.connect();
    client.send('SELECT alice@wonderland.lit/a 1\r\n');
    client.send(bytesOf('UPDATE alice@wonderland.lit/a 2\r\n\r\n{"data":1}'));
    client.send('CREATE alice@wonderland.lit/a 3\r\nIf-None-Match: x\r\n\r\n{}');
    await client.texts(3);
    expect(client.messages.map(({ bytes, binary }) => [bytes.toString(), binary])).toEqual([
      ['SUCCEEDED 200 1\r\n', false],
      ['SUCCEEDED 200 2\r\n\r\n{"data":1}', true],
      ['SUCCEEDED 200 3\r\n\r\n{}', false],
    ]);
    expect(server.handlers[0]?.requests.map(({ head }) => head.type)).toEqual(['SELECT', 'UPDATE', 'CREATE']);
  });

  it('F3 may bring raw bytes in a text frame', async () => {
    const server = await startServer({ prepare: echo });
    const client = await server.connect();
    const body = Buffer.from([0xff, 0, 13, 10, 13, 10, 0xfe]);
    client.socket.send(Buffer.concat([bytesOf('UPDATE alice@wonderland.lit/a 1\r\n\r\n'), body]), { binary: false });
    await client.texts(1);
    expect(client.messages[0]?.bytes).toEqual(Buffer.concat([bytesOf('SUCCEEDED 200 1\r\n\r\n'), body]));
  });

  it('F1 may come in fragments that cut the head anywhere', async () => {
    const server = await startServer({ prepare: echo });
    const client = await server.connect();
    const request = 'UPDATE alice@wonderland.lit/a 7\r\nIf-Match: "1"\r\n\r\n{"data":"ä"}';
    for (let cut = 0; cut <= request.length; cut++) {
      client.socket.send(request.slice(0, cut), { fin: false });
      client.socket.send(request.slice(cut), { fin: true });
    }
    const texts = await client.texts(request.length + 1);
    expect(new Set(texts)).toEqual(new Set(['SUCCEEDED 200 7\r\n\r\n{"data":"ä"}']));
    expect(server.handlers[0]?.malformedOnes).toEqual([]);
  });

  it('F13 may be thousands in flight; each gets one response', async () => {
    const server = await startServer({ prepare: echo });
    const client = await server.connect();
    const numbers = Array.from({ length: 5000 }, (_value, index) => index + 1);
    for (const number of numbers) {
      client.send(`UPDATE alice@wonderland.lit/a ${number}\r\n\r\n${number}`);
    }
    const texts = await client.texts(5000);
    expect(texts).toEqual(numbers.map((number) => `SUCCEEDED 200 ${number}\r\n\r\n${number}`));
  });
});

describe('bodies that stream', () => {
  it('F3 F31 F32 go through byte for byte, in one frame or in fragments', async () => {
    const server = await startServer({ prepare: echo });
    const client = await server.connect();
    const head = bytesOf('WRITE alice@wonderland.lit/a 1\r\nContent-Type: image/png\r\n\r\n');
    client.send(Buffer.concat([head, NOISE]));
    client.socket.send(Buffer.from('WRITE alice@wonderland.lit/a 2\r\n'), { fin: false });
    client.socket.send(Buffer.from('\r\n'), { fin: false });
    client.socket.send(NOISE.subarray(0, 100_001), { fin: false });
    client.socket.send(NOISE.subarray(100_001), { fin: true });
    await client.texts(2);
    const answers = [1, 2].map((number) => bytesOf(`SUCCEEDED 200 ${number}\r\nContent-Type: image/png\r\n\r\n`));
    for (const [index, answer] of answers.entries()) {
      expect(client.messages[index]?.binary).toBe(true);
      expect(client.messages[index]?.bytes.equals(Buffer.concat([answer, NOISE]))).toBe(true);
    }
  });

  it('tell their size where one frame announced it', async () => {
    const sizes: (number | undefined)[] = [];
    const server = await startServer({
      prepare: (handler) => {
        handler.planFor = () => ({ kind: 'stream', limit: MIB });
        handler.answer = ({ stream, head }, peer) => {
          sizes.push(stream?.size);
          stream?.cancel();
          peer.respond(head.sequence, 204);
        };
      },
    });
    const client = await server.connect();
    const head = 'WRITE alice@wonderland.lit/a 1\r\n\r\n';
    client.send(head);
    client.send(`${head}0123456789`);
    client.send(Buffer.concat([bytesOf(head), NOISE.subarray(0, 500_000)]));
    client.socket.send(`${head}01`, { fin: false });
    client.socket.send('23', { fin: true });
    await client.texts(4);
    expect(sizes).toEqual([0, 10, 500_000, undefined]);
  });

  it('F32 of responses are sent in fragments, and what is sent meanwhile comes behind, in order', async () => {
    const server = await startServer({
      prepare: (handler) => {
        handler.answer = ({ head }, peer) => {
          const pieces = [NOISE.subarray(0, 500_000), NOISE.subarray(500_000, 500_001), NOISE.subarray(500_001)];
          const body = each(pieces);
          void peer.respondStream(head.sequence, 200, { body, size: NOISE.length });
          void peer.respondStream(head.sequence + 10, 200, { body: each([bytesOf('next')]), size: 4 });
          peer.respond(head.sequence + 20, 200, { body: 'behind' });
          peer.sendRaw('UPDATED alice@wonderland.lit/a\r\n');
        };
      },
    });
    const client = await server.connect();
    client.send('READ alice@wonderland.lit/a 1\r\n');
    await client.texts(4);
    const [streamed, second, third, fourth] = client.messages;
    expect(streamed?.bytes.equals(Buffer.concat([bytesOf('SUCCEEDED 200 1\r\n\r\n'), NOISE]))).toBe(true);
    expect([second, third, fourth].map((message) => message?.bytes.toString())).toEqual([
      'SUCCEEDED 200 21\r\n\r\nbehind',
      'UPDATED alice@wonderland.lit/a\r\n',
      'SUCCEEDED 200 11\r\n\r\nnext',
    ]);
  });

  it('F32 of responses may come from somewhere that does not say how many bytes there are', async () => {
    const server = await startServer({
      prepare: (handler) => {
        handler.answer = ({ head }, peer) => {
          const pieces = [NOISE.subarray(0, 100_000), NOISE.subarray(100_000, 100_003)];
          void peer.respondStream(head.sequence, 200, { body: each(pieces), size: undefined });
        };
      },
    });
    const client = await server.connect();
    client.send('READ alice@wonderland.lit/a 1\r\n');
    await client.texts(1);
    const whole = Buffer.concat([bytesOf('SUCCEEDED 200 1\r\n\r\n'), NOISE.subarray(0, 100_003)]);
    expect(client.messages[0]?.bytes.equals(whole)).toBe(true);
  });

  it('F32 of responses may be empty: one message with a head alone', async () => {
    const server = await startServer({
      prepare: (handler) => {
        handler.answer = ({ head }, peer) => void peer.respondStream(head.sequence, 200, { body: each([]), size: 0 });
      },
    });
    const client = await server.connect();
    client.send('READ alice@wonderland.lit/a 1\r\n');
    await client.texts(1);
    expect(client.messages[0]?.bytes.toString()).toBe('SUCCEEDED 200 1\r\n\r\n');
  });

  it('that nobody wants any more are dropped, and the next message is read', async () => {
    const server = await startServer({
      prepare: (handler) => {
        handler.planFor = (head) =>
          head.kind === 'request' && head.type === 'WRITE' ? { kind: 'stream', limit: 64 * MIB } : { kind: 'discard' };
        handler.answer = ({ head, stream }, peer) => {
          void (async () => {
            for await (const _piece of stream ?? []) {
              break;
            }
            peer.respond(head.sequence, stream === undefined ? 200 : 413);
          })();
        };
      },
    });
    const client = await server.connect();
    client.send(Buffer.concat([bytesOf('WRITE alice@wonderland.lit/a 1\r\n\r\n'), NOISE]));
    client.send('SELECT alice@wonderland.lit/a 2\r\n\r\nignored');
    expect(await client.texts(2)).toEqual(['FAILED 413 1\r\n', 'SUCCEEDED 200 2\r\n']);
    expect(server.environment.budget.used).toBe(0);
  });
});

it('F1 F2 F3 any message in any fragments comes out as it went in, buffered or streamed', async () => {
  const server = await startServer({ prepare: echo });
  const client = await server.connect();
  const message = fc.record({
    type: fc.constantFrom('UPDATE', 'WRITE'),
    text: fc.boolean(),
    body: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 100 }),
      fc.nat(100_000).map((from) => NOISE.slice(from, from * 2 + 1)),
    ),
    cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 }),
  });
  let sequence = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 5 }), async (messages) => {
      const before = client.messages.length;
      const expected = new Map<string, string>();
      for (const { type, text, body, cuts } of messages) {
        sequence++;
        const bytes = Buffer.concat([bytesOf(`${type} alice@wonderland.lit/a ${sequence}\r\nX-Y: z\r\n\r\n`), body]);
        let from = 0;
        for (const to of cuts.map((cut) => Math.floor(cut * bytes.length)).sort((a, b) => a - b)) {
          client.socket.send(bytes.subarray(from, to), { fin: false, binary: !text });
          from = to;
        }
        client.socket.send(bytes.subarray(from), { fin: true, binary: !text });
        const answer = type === 'WRITE' ? 'Content-Type: image/png\r\n' : '';
        expected.set(
          `SUCCEEDED 200 ${sequence}`,
          Buffer.concat([bytesOf(`SUCCEEDED 200 ${sequence}\r\n${answer}\r\n`), body]).toString('hex'),
        );
      }
      await client.texts(before + messages.length);
      const got = client.messages.slice(before).map(({ bytes }): [string, string] => {
        return [bytes.subarray(0, bytes.indexOf('\r')).toString(), bytes.toString('hex')];
      });
      expect(new Map(got)).toEqual(expected);
    }),
  );
  expect(server.environment.budget.used).toBe(0);
});
