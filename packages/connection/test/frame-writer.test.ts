import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OPCODE } from '../src/frame-header.ts';
import { FrameReader } from '../src/frame-reader.ts';
import { FrameWriter } from '../src/frame-writer.ts';
import { applyMask, rotateMask } from '../src/mask.ts';
import type { Role } from '../src/types.ts';
import { RecordingSink } from './recording-sink.ts';

const body = fc.oneof(
  fc.constant(undefined),
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.uint8Array({ maxLength: 200 }),
  fc.integer({ min: 0, max: 70_000 }).map((length) => new Uint8Array(length).fill(length)),
);
const sent = fc.record({ head: fc.string({ unit: 'grapheme', maxLength: 30 }), body, apart: fc.boolean() });

function read(role: Role, pieces: readonly Uint8Array[]): RecordingSink {
  const sink = new RecordingSink();
  const reader = new FrameReader(role, sink);
  for (const piece of pieces) {
    reader.read(piece.slice());
  }
  return sink;
}

function hexOf(head: string, rest: string | Uint8Array | undefined): string {
  return Buffer.concat([Buffer.from(head), Buffer.from(rest ?? '')]).toString('hex');
}

describe.each<[Role, Role]>([
  ['server', 'client'],
  ['client', 'server'],
])('frames of a %s', (role, reader) => {
  it('F3 are read by the other end as they were written', () => {
    fc.assert(
      fc.property(fc.array(sent, { maxLength: 8 }), (messages) => {
        const writer = new FrameWriter(role);
        for (const message of messages) {
          writer.write({ opcode: OPCODE.text, fin: true, head: message.head, body: message.body }, message.apart);
        }
        const { bytes } = writer;
        const pieces = writer.take();
        expect(pieces.reduce((sum, piece) => sum + piece.length, 0)).toBe(bytes);
        const expected = messages.map((message) => ({ message: 'text', hex: hexOf(message.head, message.body) }));
        expect(read(reader, pieces).seen).toEqual(expected);
      }),
    );
  });

  it('do not disturb those of another connection in the same turn', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), sent), { maxLength: 20 }), (messages) => {
        const writers = [0, 1, 2].map(() => new FrameWriter(role));
        for (const [index, message] of messages) {
          writers[index]?.write({ opcode: OPCODE.binary, fin: true, ...message }, message.apart);
        }
        for (const [index, writer] of writers.entries()) {
          const own = messages.filter(([number]) => number === index).map(([, message]) => message);
          const expected = own.map((message) => ({ message: 'binary', hex: hexOf(message.head, message.body) }));
          expect(read(reader, writer.take()).seen).toEqual(expected);
        }
      }),
    );
  });

  it('do not disturb those of another connection where the memory that both had is used up', () => {
    const [one, other, third] = [new FrameWriter(role), new FrameWriter(role), new FrameWriter(role)];
    const text = (length: number, apart = false) =>
      [{ opcode: OPCODE.text, fin: true, head: 'x'.repeat(length), body: undefined }, apart] as const;
    // Each small one comes to lie at the beginning of the same memory at some time, whatever was used of it before.
    for (let at = 0; at < 20; at++) {
      one.write(...text(100));
      other.write(...text(1000));
      third.write(...text(3500));
      third.write(...text(4000));
      third.write(...text(4000));
      third.write(...text(4000));
      one.write(...text(200, true));
    }
    expect(read(reader, other.take()).seen).toEqual(
      Array.from({ length: 20 }, () => ({ message: 'text', hex: hexOf('x'.repeat(1000), '') })),
    );
  });

  it('announce a body that comes in pieces', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 10 }), fc.array(fc.uint8Array({ maxLength: 300 })), (head, parts) => {
        const whole = Buffer.concat(parts);
        const writer = new FrameWriter(role);
        writer.announce({ opcode: OPCODE.binary, head, bodyBytes: whole.length });
        for (const part of parts) {
          writer.proceed(part);
        }
        const sink = read(reader, writer.take());
        expect(sink.seen).toEqual([{ message: 'binary', hex: hexOf(head, whole) }]);
      }),
    );
  });
});

it('small messages of one turn are one piece', () => {
  const writer = new FrameWriter('server');
  for (let count = 0; count < 20; count++) {
    writer.write({ opcode: OPCODE.text, fin: true, head: 'SUCCEEDED 204 1\r\n', body: undefined }, false);
  }
  expect(writer.take().length).toBeLessThanOrEqual(2);
});

it('a mask applies to any part of a buffer, at any alignment', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(7), fc.nat(7), fc.integer(), (bytes, offset, from, mask) => {
      const start = Math.min(from, bytes.length);
      const copy = new Uint8Array(new ArrayBuffer(bytes.length + offset), offset);
      copy.set(bytes);
      applyMask(copy, start, bytes.length, mask);
      const expected = bytes.map((byte, index) =>
        index < start ? byte : byte ^ (rotateMask(mask, index - start) & 255),
      );
      expect(Buffer.from(copy).equals(expected)).toBe(true);
    }),
  );
});
