/**
 * A level that takes a question to somebody else: how much waits in a database, how far behind a stream is.
 *
 * Invariants: nobody who reads metrics waits for it longer than `wait`, and gets what was answered last; one question is under
 * way at a time, and none sooner than `pause` after the last, however often metrics are read: whoever is sick is not made
 * sicker. What is older than `keep` is not shown any more. Nothing is asked unless metrics are read, so there is nothing to stop.
 */
import { waitAtMost } from './patience.ts';

/** Milliseconds. */
export interface AskedLevelOptions {
  /** That a reader waits for the answer. */
  readonly wait: number;
  /** Between two questions. */
  readonly pause: number;
  /** For which an answer is shown where no newer one comes. */
  readonly keep: number;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

const DEFAULTS: AskedLevelOptions = { wait: 500, pause: 1_000, keep: 60_000, now: () => performance.now() };

export class AskedLevel<T> {
  readonly #ask: () => Promise<T>;
  readonly #options: AskedLevelOptions;
  #asking: Promise<void> | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  #last: { readonly value: T; readonly at: number } | undefined;

  constructor(ask: () => Promise<T>, options: Partial<AskedLevelOptions> = {}) {
    this.#ask = ask;
    this.#options = { ...DEFAULTS, ...options };
  }

  /** The answer that is had in time, or the last one; undefined where that is too old, or there never was one. */
  async latest(): Promise<T | undefined> {
    const { keep, now, pause, wait } = this.#options;
    if (this.#asking === undefined && now() - this.#askedAt >= pause) {
      this.#asking = this.#askOnce();
    }
    if (this.#asking !== undefined) {
      await waitAtMost(wait, this.#asking);
    }
    return this.#last !== undefined && now() - this.#last.at <= keep ? this.#last.value : undefined;
  }

  /** Never rejects: why there is no answer is told by whoever else asks. */
  async #askOnce(): Promise<void> {
    const { now } = this.#options;
    this.#askedAt = now();
    try {
      this.#last = { value: await this.#ask(), at: now() };
    } catch {
      // The last answer is shown until it is too old.
    } finally {
      this.#asking = undefined;
    }
  }
}
