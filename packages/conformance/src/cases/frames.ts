/** Below the messages: what breaks RFC 6455 or HTTP ends that connection, with a code where one can be sent, and no other. */
import type { Case, Context } from '../case.ts';
import { expectStatus, expectThat } from '../expect.ts';
import { encodeRequest } from '../wire/message.ts';
import { type FrameParts, frameBytes, OPCODES, RawSocket, UPGRADE } from '../wire/raw-socket.ts';
import { slug } from './slug.ts';

const { text, binary, continuation, ping, close } = OPCODES;
const CONNECT = encodeRequest('CONNECT * 1', { body: { version: '0.1' } });

/** What is sent, and the codes that may come; a server may also just hang up. */
const BROKEN: readonly [string, readonly FrameParts[], readonly number[]][] = [
  ['an opcode that is not defined', [{ opcode: 0x3, payload: CONNECT }], [1002]],
  ['a control opcode that is not defined', [{ opcode: 0xb }], [1002]],
  ['a reserved bit', [{ opcode: text, reserved: 4, payload: CONNECT }], [1002]],
  ['a frame without a mask', [{ opcode: text, masked: false, payload: CONNECT }], [1002]],
  ['a continuation of nothing', [{ opcode: continuation, payload: CONNECT }], [1002]],
  [
    'a message within the fragments of another',
    [
      { opcode: text, fin: false, payload: CONNECT.subarray(0, 4) },
      { opcode: text, payload: CONNECT },
    ],
    [1002],
  ],
  ['a ping in fragments', [{ opcode: ping, fin: false }], [1002]],
  ['a ping of 126 bytes', [{ opcode: ping, payload: Buffer.alloc(126) }], [1002]],
  ['a length of 2^63', [{ opcode: binary, payload: CONNECT, claim: 1n << 63n }], [1002, 1009]],
  ['a length of 2^53', [{ opcode: binary, payload: CONNECT, claim: 1n << 53n }], [1002, 1009]],
  ['a close of one byte', [{ opcode: close, payload: Buffer.from([3]) }], [1002]],
  ['a close with a code that nobody may send', [{ opcode: close, payload: Buffer.from([0x03, 0xee]) }], [1002]],
];

async function nextIsServed(t: Context): Promise<void> {
  const connection = await t.open();
  expectStatus(await connection.request('CONNECT', '*', { body: { version: '0.1' } }), 200, 'the next client');
}

export const frames: readonly Case[] = [
  ...BROKEN.map(
    ([title, sent, codes]): Case => ({
      id: `frame-${slug(title)}`,
      covers: ['F1', 'F9'],
      section: '1',
      title: `${title} ends the connection, and the next client is served`,
      async run(t) {
        const raw = await RawSocket.dial(t.url, t.timeoutMs);
        await raw.upgrade();
        for (const frame of sent) raw.write(frameBytes(frame));
        const code = await raw.end();
        raw.destroy();
        expectThat(code === undefined || codes.includes(code), `a close with ${codes.join(' or ')}, or the end`, code);
        await nextIsServed(t);
      },
    }),
  ),
  {
    id: 'frame-ping-between-fragments',
    covers: ['F1'],
    section: '1',
    title: 'a ping between the fragments of a message is answered, and the message too',
    async run(t) {
      const raw = await RawSocket.dial(t.url, t.timeoutMs);
      await raw.upgrade();
      raw.write(frameBytes({ opcode: text, fin: false, payload: CONNECT.subarray(0, 9) }));
      raw.write(frameBytes({ opcode: ping, payload: Buffer.from('tick') }));
      raw.write(frameBytes({ opcode: continuation, payload: CONNECT.subarray(9) }));
      await raw.received('SUCCEEDED 200 1');
      await raw.received('tick');
      raw.destroy();
    },
  },
  {
    id: 'frame-byte-by-byte',
    covers: ['F1'],
    section: '1',
    title: 'a message that arrives byte by byte is a message',
    async run(t) {
      const raw = await RawSocket.dial(t.url, t.timeoutMs);
      await raw.upgrade();
      for (const byte of frameBytes({ opcode: text, payload: CONNECT })) raw.write(Buffer.from([byte]));
      await raw.received('SUCCEEDED 200 1');
      raw.destroy();
    },
  },
  {
    id: 'handshake-refused',
    covers: ['F1'],
    section: '1',
    title: 'what is no WebSocket handshake is not upgraded, and the next client is served',
    async run(t) {
      const without = (name: string) => UPGRADE.filter((line) => !line.startsWith(`${name}:`));
      const requests = [
        ['GET / HTTP/1.1', ...without('Sec-WebSocket-Key')],
        ['GET / HTTP/1.1', ...without('Sec-WebSocket-Version'), 'Sec-WebSocket-Version: 99'],
        ['GET / HTTP/1.1', ...without('Upgrade'), 'Upgrade: h2c'],
        ['POST / HTTP/1.1', ...UPGRADE],
        ['NONSENSE'],
      ];
      for (const request of requests) {
        const raw = await RawSocket.dial(t.url, t.timeoutMs);
        const { status } = await raw.http(request);
        raw.destroy();
        expectThat(status !== 101, 'an HTTP status other than 101', `${status} to ${request.join(', ')}`);
      }
      await nextIsServed(t);
    },
  },
  {
    id: 'handshake-left-alone',
    covers: ['F1'],
    section: '1',
    title: 'sockets that say nothing, or half a handshake, do not keep others from being served',
    async run(t) {
      const sockets = await Promise.all(Array.from({ length: 20 }, () => RawSocket.dial(t.url, t.timeoutMs)));
      for (const raw of sockets.slice(10)) raw.write('GET / HTTP/1.1\r\nHost: local');
      await nextIsServed(t);
      for (const raw of sockets) raw.destroy();
    },
  },
];
