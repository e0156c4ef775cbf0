/**
 * The body of a WRITE on its way from a gateway to another domain.
 *
 * A message that began must be completed, or its link is lost. So where the other side answers before it has everything, what
 * is missing of an announced size is made up, if it is little; the other side drops it anyway. Where the size was not
 * announced the message just ends.
 */
import type { IncomingMessage } from 'node:http';

export interface UploadOptions {
  /** Bytes, where announced. */
  readonly size: number | undefined;
  /** Of those, that may be made up. */
  readonly filling: number;
  readonly moved: (bytes: number) => void;
}

const ANSWERED = Symbol('answered');
const BLOCK = 64 * 1024;

export class Upload implements AsyncIterable<Uint8Array> {
  readonly #request: IncomingMessage;
  readonly #options: UploadOptions;
  readonly #answered = Promise.withResolvers<typeof ANSWERED>();
  #isAnswered = false;
  #sent = 0;
  #isWhole = false;

  constructor(request: IncomingMessage, options: UploadOptions) {
    this.#request = request;
    this.#options = options;
  }

  /** The other side wants no more. @returns whether the message can still be completed */
  answered(): boolean {
    this.#isAnswered = true;
    this.#answered.resolve(ANSWERED);
    const { filling, size } = this.#options;
    return this.#isWhole || size === undefined || size - this.#sent <= filling;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    // An answer must still find its way back: leaving the loop early does not destroy the request.
    const pieces = this.#request.iterator({ destroyOnReturn: false });
    for (;;) {
      const piece = pieces.next();
      // Where the answer comes first, what becomes of the request is told nobody.
      piece.catch(() => undefined);
      const next = await Promise.race([piece, this.#answered.promise]);
      if (next === ANSWERED || this.#isAnswered) {
        yield* this.#rest();
        return;
      }
      if (next.done === true) {
        this.#isWhole = true;
        return;
      }
      const bytes: Uint8Array = next.value;
      this.#sent += bytes.length;
      this.#options.moved(bytes.length);
      yield bytes;
    }
  }

  *#rest(): Iterable<Uint8Array> {
    for (let left = (this.#options.size ?? 0) - this.#sent; left > 0; left -= BLOCK) {
      yield new Uint8Array(Math.min(left, BLOCK));
    }
  }
}
