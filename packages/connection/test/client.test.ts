import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { DEFAULT_PEER_LIMITS, dial, type Peer, type PeerLimits, TimerWheel, TransferBudget } from '../src/index.ts';
import { manualClock } from './manual-clock.ts';
import { bytesOf, textOf } from './raw-frames.ts';
import { RecordingHandler } from './recording-handler.ts';
import { MIB, portOf } from './server.ts';

const ALICE = { tree: 'alice@wonderland.lit', path: '/a' };

interface Dialled {
  readonly peer: Peer;
  readonly handler: RecordingHandler;
  readonly budget: TransferBudget;
  /** The other end, a `ws` socket, and what it got. */
  readonly far: WebSocket;
  readonly got: { readonly bytes: Buffer; readonly binary: boolean }[];
  heard(count: number): Promise<void>;
}

interface DialledOptions {
  readonly limits?: Partial<PeerLimits>;
  readonly timers?: TimerWheel;
  /** What the other end does with a message. */
  answer?(message: string, far: WebSocket): void;
}

/** One of our peers as client of a `ws` server. */
async function dialled(options: DialledOptions = {}): Promise<Dialled> {
  const server = new WebSocketServer({ port: 0, host: 'localhost', skipUTF8Validation: true, maxPayload: 0 });
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const connected = once(server, 'connection');
  const handler = new RecordingHandler();
  const budget = new TransferBudget(64 * MIB);
  const environment = { budget, timers: options.timers ?? new TimerWheel() };
  const limits = { ...DEFAULT_PEER_LIMITS, ...options.limits };
  const peer = await dial(`ws://localhost:${portOf(server.address())}/`, { handler, environment, limits });
  handler.peer = peer;
  const [far]: WebSocket[] = await connected;
  if (far === undefined) {
    throw new Error('nobody connected');
  }
  onTestFinished(() => far.terminate());
  const got: Dialled['got'] = [];
  far.on('message', (data: Buffer, binary: boolean) => {
    got.push({ bytes: data, binary });
    options.answer?.(data.toString('latin1'), far);
    far.emit('noted');
  });
  const heard = async (count: number) => {
    while (got.length < count) {
      await once(far, 'noted');
    }
  };
  return { peer, handler, budget, far, got, heard };
}

describe('requests of our own', () => {
  it('F5 F6 F13 are answered in any order, each once', async () => {
    const { peer, got, far, heard } = await dialled();
    const responses = [1, 2, 3].map((number) => peer.request('UPDATE', ALICE, { body: `{"data":${number}}` }));
    await heard(3);
    expect(got.map(({ bytes }) => bytes.toString())).toEqual(
      [1, 2, 3].map((number) => `UPDATE alice@wonderland.lit/a ${number}\r\n\r\n{"data":${number}}`),
    );
    far.send('SUCCEEDED 200 3\r\n\r\n"third"');
    far.send('FAILED 404 1\r\n\r\n{"message":"none"}');
    far.send('SUCCEDED 204 2\r\n');
    const settled = await Promise.all(responses);
    expect(settled.map(({ head, body }) => [head.type, head.status, textOf(body)])).toEqual([
      ['FAILED', 404, '{"message":"none"}'],
      ['SUCCEEDED', 204, ''],
      ['SUCCEEDED', 200, '"third"'],
    ]);
    expect(peer.pendingRequests).toBe(0);
  });

  it('F12 go without a body, for * and as text or binary', async () => {
    const { peer, got, heard } = await dialled();
    const options = { headers: { 'Content-Type': 'x/y' }, body: bytesOf('\0bytes') };
    for (const request of [
      peer.request('CONNECT', undefined),
      peer.request('WRITE', ALICE, options),
      peer.request('WRITE', ALICE, { ...options, frame: 'text' }),
    ]) {
      request.catch(() => {});
    }
    await heard(3);
    expect(got.map(({ bytes, binary }) => [bytes.toString(), binary])).toEqual([
      ['CONNECT * 1\r\n', false],
      ['WRITE alice@wonderland.lit/a 2\r\nContent-Type: x/y\r\n\r\n\0bytes', true],
      ['WRITE alice@wonderland.lit/a 3\r\nContent-Type: x/y\r\n\r\n\0bytes', false],
    ]);
  });

  it('F31 may have a body that streams, of any size, while others wait behind it', async () => {
    const { peer, got, far, heard } = await dialled({ limits: { sendBufferBytes: MIB } });
    const block = new Uint8Array(100_000).fill(7);
    const pieces = async function* () {
      for (let count = 0; count < 100; count++) {
        yield block;
      }
    };
    const requests = [
      peer.request('WRITE', ALICE, { body: pieces() }),
      peer.request('WRITE', ALICE, { body: pieces(), size: 10_000_000 }),
      peer.request('WRITE', ALICE, { body: new Uint8Array(10_000_000).fill(7) }),
      peer.request('SELECT', ALICE),
    ];
    await heard(4);
    const texts = got.map(({ bytes }) => bytes.subarray(0, bytes.indexOf('\r')).toString());
    expect(new Set(texts)).toEqual(
      new Set([
        'WRITE alice@wonderland.lit/a 1',
        'WRITE alice@wonderland.lit/a 2',
        'WRITE alice@wonderland.lit/a 3',
        'SELECT alice@wonderland.lit/a 4',
      ]),
    );
    for (const { bytes } of got.filter(({ binary }) => binary)) {
      const body = bytes.subarray(bytes.indexOf('\r\n\r\n') + 4);
      expect(body.equals(new Uint8Array(10_000_000).fill(7))).toBe(true);
    }
    for (const number of [1, 2, 3, 4]) {
      far.send(`SUCCEEDED 204 ${number}\r\n`);
    }
    await Promise.all(requests);
  });

  it('F32 may take the body of the response as a stream', async () => {
    const block = Buffer.alloc(MIB, 'abc');
    const { peer, budget, far, heard } = await dialled();
    const waiting = peer.request('READ', ALICE, { stream: true });
    const failing = peer.request('READ', ALICE, { stream: true });
    await heard(2);
    far.send('FAILED 404 2\r\n\r\n{"message":"none"}');
    far.send(Buffer.concat([bytesOf('SUCCEEDED 200 1\r\nContent-Type: a/b\r\n\r\n'), block]), { fin: false });
    far.send(block, { fin: true });
    const { head, stream, body } = await waiting;
    const pieces: Uint8Array[] = [];
    for await (const piece of stream ?? []) {
      pieces.push(piece);
    }
    expect(head.headers).toEqual({ 'Content-Type': 'a/b' });
    expect(body.length).toBe(0);
    expect(Buffer.concat(pieces).equals(Buffer.concat([block, block]))).toBe(true);
    expect(await failing).toMatchObject({ head: { status: 404 }, stream: undefined });
    expect(budget.used).toBe(0);
  });

  it('are rejected when there is no response in time, and a late one is not ours', async () => {
    const clock = manualClock();
    const { peer, handler, far } = await dialled({ timers: clock.timers });
    const quick = peer.request('SELECT', ALICE, { timeoutMs: 1000 });
    const slow = peer.request('SELECT', ALICE);
    clock.advance(2);
    await expect(quick).rejects.toMatchObject({ code: 'timeout' });
    clock.advance(20);
    far.send('SUCCEEDED 200 1\r\n\r\n{}');
    far.send('SUCCEEDED 200 2\r\n\r\n{}');
    expect((await slow).head.sequence).toBe(2);
    expect(handler.unknown).toMatchObject([{ sequence: 1 }]);
  });

  it('have their time from the end of a body that streams', async () => {
    const clock = manualClock();
    const { peer, far, heard } = await dialled({ timers: clock.timers, limits: { heartbeatSeconds: 0 } });
    let proceed = () => {};
    const held = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    const body = (async function* () {
      yield bytesOf('first');
      await held;
      yield bytesOf('last');
    })();
    const waiting = peer.request('WRITE', ALICE, { body, timeoutMs: 5000 });
    clock.advance(20);
    proceed();
    await heard(1);
    clock.advance(4);
    far.send('SUCCEEDED 204 1\r\n');
    expect((await waiting).head.status).toBe(204);
  });

  it('are rejected over their bound', async () => {
    const { peer } = await dialled({ limits: { pendingRequests: 2 } });
    const requests = [1, 2].map(() => peer.request('SELECT', ALICE));
    await expect(peer.request('SELECT', ALICE)).rejects.toMatchObject({ code: 'too-many' });
    peer.close(1000, '');
    await Promise.all(requests.map((request) => expect(request).rejects.toMatchObject({ code: 'unreachable' })));
  });

  it('are rejected when the response is larger than asked for', async () => {
    const { peer, far, heard } = await dialled();
    const waiting = peer.request('LIST', ALICE, { responseBytes: 10 });
    await heard(1);
    far.send(`SUCCEEDED 200 1\r\n\r\n${'x'.repeat(11)}`);
    await expect(waiting).rejects.toMatchObject({ code: 'too-large' });
    const next = peer.request('LIST', ALICE, { responseBytes: 10 });
    await heard(2);
    far.send(`SUCCEEDED 200 2\r\n\r\n${'x'.repeat(8)}`, { fin: false });
    far.send('yy', { fin: true });
    expect(textOf((await next).body)).toBe('xxxxxxxxyy');
  });

  it('are rejected with what their body throws; once it was begun, the connection ends too', async () => {
    const { peer, handler } = await dialled();
    const body = (async function* () {
      yield bytesOf('first');
      throw new Error('cannot read the file');
    })();
    const other = peer.request('SELECT', ALICE);
    await expect(peer.request('WRITE', ALICE, { body })).rejects.toThrow('cannot read the file');
    await expect(other).rejects.toMatchObject({ code: 'unreachable' });
    await handler.untilClosed();
    expect(handler.closes).toMatchObject([{ code: 1011 }]);
  });

  it('are rejected when the connection closes, and after it', async () => {
    const { peer, handler, far, heard } = await dialled();
    const requests = [peer.request('SELECT', ALICE), peer.request('READ', ALICE, { stream: true })];
    await heard(2);
    far.send('SUCCEEDED 200 1\r\n\r\nhalf', { fin: false });
    far.close(1012, 'restart');
    await Promise.all(
      requests.map((request) =>
        expect(request).rejects.toMatchObject({
          code: 'unreachable',
          message: expect.stringContaining('1012: restart'),
        }),
      ),
    );
    await handler.untilClosed();
    expect(handler.closes).toEqual([{ code: 1012, reason: 'restart' }]);
    await expect(peer.request('SELECT', ALICE)).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('thousands are answered', async () => {
    const { peer } = await dialled({
      limits: { pendingRequests: 5000 },
      answer: (message, far) =>
        far.send(`SUCCEEDED 200 ${message.split(/[ \r]/)[2]}\r\n\r\n${message.split(/[ \r]/)[2]}`),
    });
    const responses = await Promise.all(Array.from({ length: 5000 }, () => peer.request('SELECT', ALICE)));
    expect(responses.every(({ head, body }) => textOf(body) === String(head.sequence))).toBe(true);
  });

  it('F13 those that are answered late share no number with the thousands that come and go meanwhile', async () => {
    const late: string[] = [];
    const numbers = new Set<string>();
    const { peer, far } = await dialled({
      answer: (message, server) => {
        const [, , number = ''] = message.split(/[ \r]/);
        numbers.add(number);
        if (message.startsWith('LIST')) {
          late.push(number);
        } else {
          server.send(`SUCCEEDED 200 ${number}\r\n\r\n${number}`);
        }
      },
    });
    const waiting: ReturnType<Peer['request']>[] = [];
    for (let round = 0; round < 100; round++) {
      waiting.push(peer.request('LIST', ALICE));
      await Promise.all(Array.from({ length: 30 }, () => peer.request('SELECT', ALICE)));
    }
    for (const number of late) {
      far.send(`SUCCEEDED 200 ${number}\r\n\r\n${number}`);
    }
    const answered = await Promise.all(waiting);
    expect(answered.map(({ head, body }) => [head.sequence, textOf(body)])).toEqual(
      late.map((number) => [Number(number), number]),
    );
    expect(numbers.size).toBe(3100);
  });
});

describe('what else a server sends', () => {
  it('F7 notifications go to the handler, and so do requests, to be refused', async () => {
    const { handler, far, got, heard } = await dialled();
    handler.answer = ({ head }, peer) => peer.respond(head.sequence, 405);
    far.send('UPDATED alice@wonderland.lit/a\r\n\r\n{"data":1}');
    far.send('DELETED alice@wonderland.lit/b\r\n');
    far.send('SELECT alice@wonderland.lit/a 9\r\n');
    await heard(1);
    expect(handler.notifications).toMatchObject([
      { head: { event: 'UPDATED', resource: { path: '/a' } }, body: '{"data":1}' },
      { head: { event: 'DELETED', resource: { path: '/b' } }, body: '' },
    ]);
    expect(got[0]?.bytes.toString()).toBe('FAILED 405 9\r\n');
  });

  it('F7 a notification may come in fragments and is never a stream', async () => {
    const { handler, far, budget } = await dialled();
    handler.planFor = () => ({ kind: 'stream', limit: 100 });
    far.send('UPDATED alice@wonderland.lit/a\r\n\r\n{"da', { fin: false });
    far.send('ta":1}', { fin: true });
    await handler.until(() => handler.notifications.length === 1);
    expect(handler.notifications).toMatchObject([{ body: '{"data":1}' }]);
    expect(budget.used).toBe(0);
  });
});
