/** Something that waits for its reader, or for its turn. */
export interface Backlogged {
  /** Asked now and then until it says no; it may have itself watched again meanwhile. */
  isBacklogged(): boolean;
}

/** Looks now and then at all who wait, by one timer, which runs only while somebody does. */
export class Backlogs {
  readonly #tickMs: number;
  readonly #waiting = new Set<Backlogged>();
  #ticker: NodeJS.Timeout | undefined;

  /** @param tickMs milliseconds between two looks */
  constructor(tickMs: number) {
    this.#tickMs = tickMs;
  }

  watch(waiting: Backlogged): void {
    this.#waiting.add(waiting);
    this.#ticker ??= setInterval(() => this.#tick(), this.#tickMs).unref();
  }

  /** It is over. */
  forget(waiting: Backlogged): void {
    this.#waiting.delete(waiting);
  }

  #tick(): void {
    for (const waiting of [...this.#waiting]) {
      // Whoever goes on may be behind again at once, and be watched anew.
      if (this.#waiting.delete(waiting) && waiting.isBacklogged()) {
        this.#waiting.add(waiting);
      }
    }
    if (this.#waiting.size === 0) {
      clearInterval(this.#ticker);
      this.#ticker = undefined;
    }
  }
}
