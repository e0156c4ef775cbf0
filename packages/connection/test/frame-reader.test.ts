import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameReader } from '../src/frame-reader.ts';
import type { Role } from '../src/types.ts';
import { bytesOf, clientFrame, MASK, rawFrame } from './raw-frames.ts';
import { RecordingSink, type Seen } from './recording-sink.ts';

const hex = (text: string) => Buffer.from(text).toString('hex');
const text = (payload: string): Seen => ({ message: 'text', hex: hex(payload) });
const binary = (payload: string): Seen => ({ message: 'binary', hex: hex(payload) });
const closePayload = (code: number, reason = '') =>
  Buffer.concat([Uint8Array.of(code >> 8, code & 255), bytesOf(reason)]);
const long = 'x'.repeat(70_000);
const medium = 'y'.repeat(200);

/** Bytes of a client, and what a server makes of them. */
const CASES: readonly [name: string, frames: readonly Uint8Array[], expected: readonly Seen[]][] = [
  ['F1 text', [clientFrame(1, 'Hello')], [text('Hello')]],
  ['F2 binary', [clientFrame(2, 'Hello')], [binary('Hello')]],
  ['an empty message', [clientFrame(1)], [text('')]],
  ['F3 text that is no UTF-8', [clientFrame(1, Uint8Array.of(0xff, 0))], [{ message: 'text', hex: 'ff00' }]],
  ['a length of 16 bits', [clientFrame(1, medium)], [text(medium)]],
  ['a length of 64 bits', [clientFrame(2, long)], [binary(long)]],
  [
    'a length in more bits than needed',
    [rawFrame({ opcode: 1, payload: 'a', lengthBits: 64, mask: MASK })],
    [text('a')],
  ],
  ['a mask of zeros', [rawFrame({ opcode: 1, payload: 'a', mask: [0, 0, 0, 0] })], [text('a')]],
  ['fragments', [clientFrame(1, 'Hel', false), clientFrame(0, '', false), clientFrame(0, 'lo')], [text('Hello')]],
  ['fragments that are all empty', [clientFrame(2, '', false), clientFrame(0, '')], [binary('')]],
  [
    'control frames between fragments',
    [clientFrame(1, 'a', false), clientFrame(9, 'p'), clientFrame(10), clientFrame(0, 'b')],
    [{ ping: hex('p') }, { pong: true }, text('ab')],
  ],
  ['a ping of 125 bytes', [clientFrame(9, 'p'.repeat(125))], [{ ping: hex('p'.repeat(125)) }]],
  ['a close frame without a code', [clientFrame(8)], [{ closed: 1005, reason: '' }]],
  ['a close frame with a reason', [clientFrame(8, closePayload(1001, 'grüß'))], [{ closed: 1001, reason: 'grüß' }]],
  ['data behind a close frame', [clientFrame(8), clientFrame(1, 'a')], [{ closed: 1005, reason: '' }]],
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999].map(
    (code): [string, Uint8Array[], Seen[]] => [
      `close code ${code}`,
      [clientFrame(8, closePayload(code))],
      [{ closed: code, reason: '' }],
    ],
  ),
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535].map(
    (code): [string, Uint8Array[], Seen[]] => [
      `close code ${code} is none`,
      [clientFrame(8, closePayload(code))],
      [{ violation: 1002 }],
    ],
  ),
  ['a close frame of one byte', [clientFrame(8, 'x')], [{ violation: 1002 }]],
  ['a close reason that is no UTF-8', [clientFrame(8, Uint8Array.of(3, 232, 0xff))], [{ violation: 1007 }]],
  ['a frame of a client without a mask', [rawFrame({ opcode: 1, payload: 'a' })], [{ violation: 1002 }]],
  ['a control frame without a mask', [rawFrame({ opcode: 9 })], [{ violation: 1002 }]],
  ...[1, 2, 4].map((rsv): [string, Uint8Array[], Seen[]] => [
    `reserved bits ${rsv}`,
    [rawFrame({ opcode: 1, payload: 'a', rsv, mask: MASK })],
    [{ violation: 1002 }],
  ]),
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): [string, Uint8Array[], Seen[]] => [
    `opcode ${opcode}`,
    [clientFrame(1, 'before'), clientFrame(opcode, 'a')],
    [text('before'), { violation: 1002 }],
  ]),
  ['a continuation of nothing', [clientFrame(0, 'a')], [{ violation: 1002 }]],
  ['a continuation behind a message', [clientFrame(1, 'a'), clientFrame(0, 'b')], [text('a'), { violation: 1002 }]],
  ['a message within another one', [clientFrame(1, 'a', false), clientFrame(1, 'b')], [{ violation: 1002 }]],
  ['a control frame of 126 bytes', [clientFrame(9, 'p'.repeat(126))], [{ violation: 1002 }]],
  ['a fragmented ping', [clientFrame(9, 'p', false)], [{ violation: 1002 }]],
  ['a fragmented close frame', [clientFrame(8, '', false)], [{ violation: 1002 }]],
  ['a length of 2^63', [rawFrame({ opcode: 2, length: 2n ** 63n, mask: MASK })], [{ violation: 1002 }]],
  ['a length over 2^53', [rawFrame({ opcode: 2, length: 2n ** 60n, mask: MASK })], [{ violation: 1009 }]],
];

/** Reads bytes in chunks that end where told, each with memory of its own. */
function read(role: Role, bytes: Uint8Array, ends: readonly number[]): RecordingSink {
  const sink = new RecordingSink();
  const reader = new FrameReader(role, sink);
  let from = 0;
  for (const to of [...ends, bytes.length]) {
    const chunk = bytes.slice(from, to);
    expect(reader.read(chunk)).toBe(chunk.length);
    from = to;
  }
  return sink;
}

describe('frames of a client', () => {
  it.each(CASES)('%s', (_name, frames, expected) => {
    expect(read('server', Buffer.concat(frames), []).seen).toEqual(expected);
  });

  it.each(CASES)('%s, byte by byte', (_name, frames, expected) => {
    const bytes = Buffer.concat(frames).subarray(0, 1000);
    const ends = Array.from(bytes, (_byte, index) => index);
    expect(read('server', Buffer.concat(frames), ends).seen).toEqual(expected);
  });

  it('F1 announces the size of a message that one frame brings', () => {
    const frames = Buffer.concat([clientFrame(1, medium), clientFrame(1, 'a', false), clientFrame(0, 'b')]);
    expect(read('server', frames, [100]).announced).toEqual([200, undefined]);
  });
});

describe('frames of a server', () => {
  it('must not be masked', () => {
    expect(read('client', rawFrame({ opcode: 2, payload: 'Hello' }), []).seen).toEqual([binary('Hello')]);
    expect(read('client', clientFrame(2, 'Hello'), []).seen).toEqual([{ violation: 1002 }]);
  });
});

const payload = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 120, maxLength: 300 }));
const mask = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
const control = fc
  .constantFrom(9, 10)
  .chain((opcode) =>
    fc.record({ opcode: fc.constant(opcode), payload: fc.uint8Array({ maxLength: 30 }), fin: fc.constant(true), mask }),
  );
/** One message: its fragments, control frames between them. */
const message = fc
  .tuple(
    fc.constantFrom(1, 2),
    fc.array(fc.tuple(payload, mask, fc.array(control, { maxLength: 2 })), { minLength: 1, maxLength: 4 }),
  )
  .map(([opcode, fragments]) => ({
    opcode,
    whole: Buffer.concat(fragments.map(([part]) => part)),
    controls: fragments.slice(0, -1).flatMap(([, , controls]) => controls),
    frames: fragments.flatMap(([part, key, controls], index) => [
      rawFrame({ opcode: index === 0 ? opcode : 0, payload: part, mask: key, fin: index === fragments.length - 1 }),
      ...(index === fragments.length - 1 ? [] : controls.map(rawFrame)),
    ]),
  }));

describe('any split of the bytes into chunks', () => {
  it('F1 F2 gives the same messages, byte for byte', () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 4 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 60 })),
        (messages, steps) => {
          const bytes = Buffer.concat(messages.flatMap((one) => one.frames));
          const ends: number[] = [];
          for (let at = steps.next().value; at < bytes.length; at += steps.next().value) {
            ends.push(at);
          }
          const expected = messages.flatMap((one): Seen[] => [
            ...one.controls.map(
              (frame): Seen =>
                frame.opcode === 9 ? { ping: Buffer.from(frame.payload).toString('hex') } : { pong: true },
            ),
            { message: one.opcode === 1 ? 'text' : 'binary', hex: one.whole.toString('hex') },
          ]);
          expect(read('server', bytes, ends).seen).toEqual(expected);
        },
      ),
    );
  });

  it('never throws on any bytes, and says no more than one violation', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 50 })),
        fc.constantFrom<Role>('server', 'client'),
        (chunks, role) => {
          const sink = new RecordingSink();
          const reader = new FrameReader(role, sink);
          for (const chunk of chunks) {
            reader.read(chunk.slice());
          }
          const ends = sink.seen.findIndex((seen) => 'violation' in seen || 'closed' in seen);
          expect(ends === -1 || ends === sink.seen.length - 1).toBe(true);
        },
      ),
    );
  });
});

it('stops between messages when told, and goes on from there', () => {
  const sink = new RecordingSink();
  const bytes = Buffer.concat(['a', 'b', 'c'].map((one) => clientFrame(1, one)));
  const reader = new FrameReader('server', sink);
  sink.message = (kind, message) => {
    RecordingSink.prototype.message.call(sink, kind, message);
    reader.stop();
  };
  let rest = bytes;
  for (const [index, expected] of ['a', 'b', 'c'].entries()) {
    rest = rest.subarray(reader.read(rest));
    expect(sink.seen.slice(index)).toEqual([text(expected)]);
  }
  expect(rest.length).toBe(0);
});
