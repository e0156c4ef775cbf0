/**
 * The body of a WRITE on its way from a gateway to another domain: a piece is taken when the last one is under way.
 *
 * A message that began must be completed, or its link is lost. So where the other side answers before it has everything, what
 * is missing of an announced size is made up, if it is little; the other side drops it anyway. Where the size was not
 * announced the message just ends. What the gateway still sends then is for the caller to drop.
 */
import type { IncomingMessage } from 'node:http';
import { type FospError, fospError } from '@fosp/protocol';

export interface UploadOptions {
  /** Bytes, where announced. */
  readonly size: number | undefined;
  /** Of those, that may be made up. */
  readonly filling: number;
  readonly moved: (bytes: number) => void;
}

const BLOCK = 64 * 1024;

export class Upload implements AsyncIterable<Uint8Array> {
  readonly #incoming: IncomingMessage;
  readonly #options: UploadOptions;
  #isAnswered = false;
  #isWhole = false;
  #sent = 0;
  /** Whoever waits for the next piece, or for there being none. */
  #waiting: PromiseWithResolvers<Uint8Array | undefined> | undefined;

  constructor(incoming: IncomingMessage, options: UploadOptions) {
    this.#incoming = incoming;
    this.#options = options;
  }

  /** The other side wants no more. @returns whether the message can still be completed */
  answered(): boolean {
    this.#isAnswered = true;
    this.#settle(undefined);
    const { filling, size } = this.#options;
    return this.#isWhole || size === undefined || size - this.#sent <= filling;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const incoming = this.#incoming;
    const data = (piece: Uint8Array) => {
      if (this.#isAnswered) {
        // Dropped, and not held back: whatever comes next over this connection waits behind it.
        return;
      }
      incoming.pause();
      this.#settle(piece);
    };
    const end = () => {
      this.#isWhole = true;
      this.#settle(undefined);
    };
    const close = () => this.#waiting?.reject(brokenOff());
    incoming.on('data', data).on('end', end).on('close', close);
    try {
      for (let piece = await this.#next(); piece !== undefined; piece = await this.#next()) {
        this.#sent += piece.length;
        this.#options.moved(piece.length);
        yield piece;
      }
      yield* this.#rest();
    } finally {
      incoming.off('data', data).off('end', end).off('close', close);
    }
  }

  /** `undefined` where no more comes, or is wanted. Rejects where the gateway broke off. */
  #next(): Promise<Uint8Array | undefined> {
    if (this.#isAnswered || this.#isWhole) {
      return Promise.resolve(undefined);
    }
    if (this.#incoming.destroyed) {
      return Promise.reject(brokenOff());
    }
    this.#waiting = Promise.withResolvers();
    this.#incoming.resume();
    return this.#waiting.promise;
  }

  #settle(piece: Uint8Array | undefined): void {
    this.#waiting?.resolve(piece);
    this.#waiting = undefined;
  }

  /** Of an announced size, what was not sent: nothing, where all of it came. */
  *#rest(): Iterable<Uint8Array> {
    for (let left = (this.#options.size ?? 0) - this.#sent; left > 0; left -= BLOCK) {
      yield new Uint8Array(Math.min(left, BLOCK));
    }
  }
}

/** As users do who change their minds: no defect. */
function brokenOff(): FospError {
  return fospError('unreachable', 'The gateway broke off.');
}
