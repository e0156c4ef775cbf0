import { type FospError, fospError } from '@fosp/protocol';
import { PieceQueue } from './piece-queue.ts';
import type { BodyStream } from './types.ts';

/** Who feeds a stream, and wants to know what becomes of it. */
export interface StreamFeeder {
  /** So many bytes left the queue. */
  taken(bytes: number): void;
  /** Nobody wants the rest. */
  cancelled(stream: IncomingBody): void;
}

/**
 * A body on its way from the connection to whoever reads it. A piece counts as held until the reader asks for the next one.
 *
 * Lifecycle: pieces are pushed until `finish` or `fail`; what was pushed before a `fail` is dropped. The stream ends, for
 * its reader, after the last piece, at a cancel, or by throwing.
 */
export class IncomingBody implements BodyStream, AsyncIterableIterator<Uint8Array> {
  readonly size: number | undefined;
  readonly #feeder: StreamFeeder;
  readonly #queue = new PieceQueue();
  /** Bytes of the piece that the reader works on. */
  #lent = 0;
  #state: 'open' | 'finished' | 'failed' | 'over' = 'open';
  #error: FospError | undefined;
  #waiting: { resolve(result: IteratorResult<Uint8Array>): void; reject(error: unknown): void } | undefined;

  constructor(size: number | undefined, feeder: StreamFeeder) {
    this.size = size;
    this.#feeder = feeder;
  }

  push(piece: Uint8Array): void {
    if (this.#state !== 'open') {
      this.#feeder.taken(piece.length);
      return;
    }
    if (this.#waiting === undefined) {
      this.#queue.push(piece);
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#lent = piece.length;
    waiting.resolve({ done: false, value: piece });
  }

  finish(): void {
    if (this.#state === 'open') {
      this.#state = 'finished';
      this.#waiting?.resolve(this.#lend());
      this.#waiting = undefined;
    }
  }

  fail(error: FospError): void {
    if (this.#state === 'open') {
      this.#state = 'failed';
      this.#error = error;
      this.#drop();
      if (this.#waiting !== undefined) {
        this.#state = 'over';
        this.#waiting.reject(error);
        this.#waiting = undefined;
      }
    }
  }

  cancel(): void {
    const wasOpen = this.#state === 'open';
    if (this.#state !== 'over') {
      this.#state = 'over';
      this.#waiting?.resolve(DONE);
      this.#waiting = undefined;
      this.#drop();
      if (wasOpen) {
        this.#feeder.cancelled(this);
      }
    }
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#waiting !== undefined) {
      return Promise.reject(fospError('internal', 'a body is read twice at the same time'));
    }
    this.#settleLent();
    if (this.#state === 'failed') {
      this.#state = 'over';
      return Promise.reject(this.#error);
    }
    if (this.#state === 'open' && this.#queue.bytes === 0) {
      return new Promise((resolve, reject) => {
        this.#waiting = { resolve, reject };
      });
    }
    return Promise.resolve(this.#lend());
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.cancel();
    return Promise.resolve(DONE);
  }

  #lend(): IteratorResult<Uint8Array> {
    const value = this.#queue.shift();
    if (value === undefined) {
      this.#state = 'over';
      return DONE;
    }
    this.#lent = value.length;
    return { done: false, value };
  }

  #settleLent(): void {
    if (this.#lent > 0) {
      const bytes = this.#lent;
      this.#lent = 0;
      this.#feeder.taken(bytes);
    }
  }

  #drop(): void {
    const bytes = this.#queue.bytes;
    this.#queue.clear();
    if (bytes > 0) {
      this.#feeder.taken(bytes);
    }
    this.#settleLent();
  }
}

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });
