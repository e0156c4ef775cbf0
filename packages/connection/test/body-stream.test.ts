import { fospError } from '@fosp/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IncomingBody, type StreamFeeder } from '../src/body-stream.ts';
import { bytesOf, textOf } from './raw-frames.ts';

/** Counts what a stream holds. */
class Counter implements StreamFeeder {
  held = 0;
  cancels = 0;

  push(stream: IncomingBody, piece: Uint8Array): void {
    this.held += piece.length;
    stream.push(piece);
  }

  taken(bytes: number): void {
    this.held -= bytes;
  }

  cancelled(): void {
    this.cancels++;
  }
}

function opened(): { counter: Counter; stream: IncomingBody } {
  const counter = new Counter();
  return { counter, stream: new IncomingBody(undefined, counter) };
}

describe('a body on its way', () => {
  it('F3 arrives whole and in order, however reading and arriving alternate', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 30 })),
        fc.scheduler(),
        async (pieces, scheduler) => {
          const { counter, stream } = opened();
          const arrive = scheduler.scheduleSequence([
            ...pieces.map((piece) => async () => counter.push(stream, piece)),
            async () => stream.finish(),
          ]);
          const read = (async () => {
            const got: Uint8Array[] = [];
            for await (const piece of stream) {
              got.push(piece);
              await scheduler.schedule(Promise.resolve());
            }
            return Buffer.concat(got);
          })();
          await scheduler.waitFor(Promise.all([arrive.task, read]));
          expect((await read).equals(Buffer.concat(pieces))).toBe(true);
          expect(counter).toMatchObject({ held: 0, cancels: 0 });
        },
      ),
    );
  });

  it('counts a piece as held until the next one is asked for', async () => {
    const { counter, stream } = opened();
    counter.push(stream, bytesOf('abc'));
    await stream.next();
    expect(counter.held).toBe(3);
    const second = stream.next();
    expect(counter.held).toBe(0);
    stream.finish();
    expect((await second).done).toBe(true);
  });

  it('is cancelled by breaking out of the loop', async () => {
    const { counter, stream } = opened();
    counter.push(stream, bytesOf('abc'));
    counter.push(stream, bytesOf('def'));
    for await (const piece of stream) {
      expect(textOf(piece)).toBe('abcdef');
      break;
    }
    counter.push(stream, bytesOf('late'));
    expect(counter).toMatchObject({ held: 0, cancels: 1 });
    expect((await stream.next()).done).toBe(true);
  });

  it('tells its reader when the rest cannot come, at once or when asked', async () => {
    const error = fospError('unreachable', 'gone');
    const waiting = opened();
    const next = waiting.stream.next();
    waiting.stream.fail(error);
    await expect(next).rejects.toBe(error);
    const later = opened();
    later.counter.push(later.stream, bytesOf('abc'));
    later.stream.fail(error);
    expect(later.counter.held).toBe(0);
    await expect(later.stream.next()).rejects.toBe(error);
    expect((await later.stream.next()).done).toBe(true);
  });

  it('keeps what arrived in full when the connection ends afterwards', async () => {
    const { counter, stream } = opened();
    counter.push(stream, bytesOf('abc'));
    stream.finish();
    stream.fail(fospError('unreachable', 'gone'));
    expect(textOf((await stream.next()).value)).toBe('abc');
    expect((await stream.next()).done).toBe(true);
    expect(counter).toMatchObject({ held: 0, cancels: 0 });
  });

  it('lets one reader wait for one piece at a time', async () => {
    const { stream } = opened();
    const first = stream.next();
    await expect(stream.next()).rejects.toMatchObject({ code: 'internal' });
    stream.cancel();
    expect((await first).done).toBe(true);
  });
});
