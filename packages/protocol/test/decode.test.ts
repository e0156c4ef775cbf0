import { describe, expect, it } from 'vitest';
import frames from '../fixtures/frames.json' with { type: 'json' };
import { decodeHead, decodeText, LIMITS } from '../src/index.ts';
import { bytesOf, frameOf } from './bytes.ts';

describe('heads', () => {
  it.each(frames.heads)('$name', ({ frame, head, body }) => {
    const bytes = bytesOf(frame);
    const decoded = decodeHead(bytes, true);
    expect(decoded).toMatchObject({ kind: 'head' });
    if (decoded.kind === 'head') {
      expect(decoded.head).toEqual({ ...head, ...('resource' in head && { resource: head.resource ?? undefined }) });
      expect(frameOf(bytes.subarray(decoded.bodyOffset))).toBe(body);
    }
  });

  it.each(frames.malformed)('$name is malformed', ({ frame, sequence }) => {
    const decoded = decodeHead(bytesOf(frame), true);
    expect(decoded).toEqual({ kind: 'malformed', sequence, message: expect.stringMatching(/^.{10,400}\.$/) });
  });

  it.each(frames.incomplete)('$name, and more to come', ({ frame }) => {
    expect(decodeHead(bytesOf(frame), false)).toEqual({ kind: 'incomplete' });
  });

  it('F8 decoded headers have no names that nobody sent', () => {
    const decoded = decodeHead(bytesOf('LIST * 1\r\nA: b\r\n'), true);
    expect(decoded.kind === 'head' && Object.getPrototypeOf(decoded.head.headers)).toBe(null);
    const bare = decodeHead(bytesOf('LIST * 1\r\n'), true);
    expect(bare.kind === 'head' && Object.getPrototypeOf(bare.head.headers)).toBe(null);
  });

  it('F8 a refusal says which header and why', () => {
    expect(decodeHead(bytesOf('LIST * 1\r\nA: b\r\nC: \x07\r\n'), true)).toMatchObject({
      message: 'Header 2, C: U+0007 is not allowed, and lines end with CRLF.',
    });
    expect(decodeHead(bytesOf('LIST * 1\r\nA: b\r\nC: \xff\r\n'), true)).toMatchObject({
      message: 'Header 2: this is no UTF-8.',
    });
  });
});

describe('the limit of a head', () => {
  const start = 'LIST * 7\r\n';
  const headOf = (size: number) => `${start}A: ${'b'.repeat(size - start.length - 5)}\r\n`;

  it('F1 F8 8 KiB with the blank line are a head', () => {
    expect(decodeHead(bytesOf(`${headOf(LIMITS.headBytes - 2)}\r\nbody`), false)).toMatchObject({
      kind: 'head',
      bodyOffset: LIMITS.headBytes,
    });
  });

  it('F1 F8 8 KiB without one are a head when nothing follows', () => {
    const bytes = bytesOf(headOf(LIMITS.headBytes));
    expect(decodeHead(bytes, true)).toMatchObject({ kind: 'head', bodyOffset: LIMITS.headBytes });
    expect(decodeHead(bytes, false)).toEqual({ kind: 'incomplete' });
  });

  it('F1 F8 one byte more is malformed, known at once, and keeps its sequence number', () => {
    for (const frame of [`${headOf(LIMITS.headBytes - 1)}\r\nbody`, headOf(LIMITS.headBytes + 1)]) {
      for (const complete of [true, false]) {
        expect(decodeHead(bytesOf(frame), complete)).toMatchObject({ kind: 'malformed', sequence: 7 });
      }
    }
  });

  it('F5 a start line without end has no sequence number', () => {
    expect(decodeHead(bytesOf(`LIST ${'1'.repeat(LIMITS.headBytes)}`), false)).toMatchObject({ sequence: 0 });
    expect(decodeHead(bytesOf(`LIST * ${'0'.repeat(LIMITS.headBytes)}1\r\n`), true)).toMatchObject({ sequence: 0 });
  });
});

describe('text', () => {
  it('F3 is strict UTF-8, kept as it is', () => {
    expect(decodeText(new TextEncoder().encode('\ufeff{"é":"🐇"}\u0000'))).toBe('\ufeff{"é":"🐇"}\u0000');
    expect(decodeText(new Uint8Array())).toBe('');
    for (const bytes of ['\xff', 'a\xc3', '\xc0\xaf', '\xed\xa0\x80', '\xf4\x90\x80\x80']) {
      expect(decodeText(bytesOf(bytes))).toBeUndefined();
    }
  });
});
