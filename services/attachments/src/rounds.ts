/** Work that is done again and again: never twice at a time, with a pause after each round, whatever came of it. */
export interface RoundsOptions {
  /** Between the end of one round and the beginning of the next; the first one comes after it, too. */
  readonly pauseSeconds: number;
  readonly work: () => Promise<void>;
  /** Told what `work` throws; there is another round all the same. */
  readonly failed: (error: unknown) => void;
}

export class Rounds {
  readonly #options: RoundsOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  start(): void {
    if (!this.#isStopped) {
      this.#timer = setTimeout(() => void this.#next(), this.#options.pauseSeconds * 1000).unref();
    }
  }

  /** Resolves once a round that is running has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #next(): Promise<void> {
    this.#running = this.#options.work().catch(this.#options.failed);
    await this.#running;
    this.start();
  }
}
