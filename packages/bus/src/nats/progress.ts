/**
 * How far one reader of a partition has come. Messages are handled out of order across keys; the cursor is the position
 * up to which all are.
 *
 * Invariant: the cursor never goes back, and never passes a message that was begun and not handled.
 */
import type { DurableMessage } from '../transport.ts';

export interface ProgressLimits {
  /** Messages read and not handled. */
  readonly messages: number;
  /** Bytes of their bodies. */
  readonly bytes: number;
  /** Positions read beyond the cursor, handled or not: what comes again after a hand-over. */
  readonly window: number;
}

export class Progress {
  readonly #limits: ProgressLimits;
  /** Read beyond the cursor, in order; those before `#first` are behind it. */
  #read: number[] = [];
  /** When those were appended. */
  #appendedAt: number[] = [];
  #first = 0;
  #begun = 0;
  readonly #handled = new Set<number>();
  #cursor: number;
  #messages = 0;
  #bytes = 0;

  constructor(cursor: number, limits: ProgressLimits) {
    this.#cursor = cursor;
    this.#limits = limits;
  }

  get cursor(): number {
    return this.#cursor;
  }

  /** May another message be read? */
  get hasRoom(): boolean {
    const { messages, bytes, window } = this.#limits;
    return this.#messages < messages && this.#bytes < bytes && this.#read.length - this.#first < window;
  }

  /** Messages read and not handled. */
  get unhandled(): number {
    return this.#messages;
  }

  /** When the first of them was appended; undefined without any. Milliseconds since the epoch. */
  get oldestAt(): number | undefined {
    return this.#appendedAt[this.#first];
  }

  /** Messages read so far. */
  get begun(): number {
    return this.#begun;
  }

  /** `appendedAt` in milliseconds since the epoch. */
  begin({ position, appendedAt }: Pick<DurableMessage, 'position' | 'appendedAt'>, bytes: number): void {
    this.#read.push(position);
    this.#appendedAt.push(appendedAt);
    this.#begun++;
    this.#messages++;
    this.#bytes += bytes;
  }

  handled(position: number, bytes: number): void {
    this.#messages--;
    this.#bytes -= bytes;
    this.#handled.add(position);
    for (let next = this.#read[this.#first]; next !== undefined && this.#handled.delete(next); ) {
      this.#cursor = next;
      next = this.#read[++this.#first];
    }
    if (this.#first > 1000 && this.#first * 2 > this.#read.length) {
      this.#read = this.#read.slice(this.#first);
      this.#appendedAt = this.#appendedAt.slice(this.#first);
      this.#first = 0;
    }
  }
}
