import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PieceQueue } from '../src/piece-queue.ts';

const piece = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 20 }),
  fc.integer({ min: 1, max: 40_000 }).map((length) => new Uint8Array(length).fill(length)),
);

describe('PieceQueue', () => {
  it('F3 gives back what was put in, whole or in pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.constant('take' as const))), (steps) => {
        const queue = new PieceQueue();
        const put: Uint8Array[] = [];
        const taken: Uint8Array[] = [];
        for (const step of steps) {
          if (step === 'take') {
            const first = queue.shift();
            taken.push(first?.slice() ?? new Uint8Array(0));
          } else {
            queue.push(step);
            put.push(step.slice());
          }
        }
        const bytes = put.reduce((sum, one) => sum + one.length, 0) - taken.reduce((sum, one) => sum + one.length, 0);
        expect(queue.bytes).toBe(bytes);
        const all = Buffer.concat([...taken, queue.concat()]);
        expect(all.equals(Buffer.concat(put))).toBe(true);
        expect(queue.bytes).toBe(0);
      }),
    );
  });

  it('keeps one large piece as it is', () => {
    const queue = new PieceQueue();
    const large = new Uint8Array(100_000);
    queue.push(large);
    expect(queue.concat()).toBe(large);
  });

  it('takes little more memory than bytes that come one by one', () => {
    const queue = new PieceQueue();
    for (let count = 0; count < 300_000; count++) {
      queue.push(new Uint8Array(1));
    }
    let memory = 0;
    const blocks = new Set<ArrayBufferLike>();
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      if (!blocks.has(next.buffer)) {
        blocks.add(next.buffer);
        memory += next.buffer.byteLength;
      }
    }
    expect(memory).toBeLessThanOrEqual(400_000);
    expect(blocks.size).toBeLessThan(20);
  });
});
