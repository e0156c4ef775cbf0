/**
 * Order per key, parallel across keys: what a consumer of a durable stream runs its handler in.
 *
 * Invariant: an item is run once its predecessor of the same key has succeeded; an item whose run rejects is run again
 * after a pause that doubles each time, and holds up its key alone (neither other keys nor their share of `concurrency`).
 * Keys take turns, item by item. Lifecycle: `push` until `stop`, which gives back what has not succeeded.
 */
export interface KeyedRunnerOptions {
  /** Items run at once, over all keys. */
  readonly concurrency: number;
  /** Milliseconds before the first repetition; each further pause is twice as long as the last. */
  readonly retryPause: number;
  /** Milliseconds that a pause never exceeds. */
  readonly longestRetryPause: number;
}

interface Lane<Item> {
  readonly key: string;
  /** The first one runs, waits for its turn, or waits for its repetition. */
  readonly items: Item[];
  failures: number;
  pausing: NodeJS.Timeout | undefined;
}

export class KeyedRunner<Item> {
  readonly #run: (item: Item) => Promise<void>;
  readonly #options: KeyedRunnerOptions;
  readonly #lanes = new Map<string, Lane<Item>>();
  readonly #ready: Lane<Item>[] = [];
  #running = 0;
  #stopped = false;
  readonly #stopping: (() => void)[] = [];

  constructor(run: (item: Item) => Promise<void>, options: KeyedRunnerOptions) {
    this.#run = run;
    this.#options = options;
  }

  push(key: string, item: Item): void {
    const lane = this.#lanes.get(key);
    if (lane !== undefined) {
      lane.items.push(item);
      return;
    }
    const created = { key, items: [item], failures: 0, pausing: undefined };
    this.#lanes.set(key, created);
    this.#ready.push(created);
    this.#startReady();
  }

  /** Starts nothing more; resolves with the items that have not succeeded, in order per key, once nothing runs. */
  async stop(): Promise<Item[]> {
    this.#stopped = true;
    for (const lane of this.#lanes.values()) {
      clearTimeout(lane.pausing);
    }
    if (this.#running > 0) {
      await new Promise<void>((resolve) => this.#stopping.push(resolve));
    }
    return [...this.#lanes.values()].flatMap((lane) => lane.items);
  }

  #startReady(): void {
    while (!this.#stopped && this.#running < this.#options.concurrency) {
      const lane = this.#ready.shift();
      const item = lane?.items[0];
      if (lane === undefined || item === undefined) {
        return;
      }
      this.#running++;
      void this.#runItem(lane, item);
    }
  }

  async #runItem(lane: Lane<Item>, item: Item): Promise<void> {
    try {
      await this.#run(item);
      this.#succeeded(lane);
    } catch {
      this.#failed(lane);
    }
    this.#running--;
    this.#startReady();
    if (this.#stopped && this.#running === 0) {
      for (const resolve of this.#stopping) {
        resolve();
      }
    }
  }

  #succeeded(lane: Lane<Item>): void {
    lane.items.shift();
    lane.failures = 0;
    if (lane.items.length === 0) {
      this.#lanes.delete(lane.key);
    } else {
      this.#ready.push(lane);
    }
  }

  #failed(lane: Lane<Item>): void {
    if (this.#stopped) {
      return;
    }
    const { retryPause, longestRetryPause } = this.#options;
    const pause = Math.min(longestRetryPause, retryPause * 2 ** lane.failures);
    lane.failures++;
    lane.pausing = setTimeout(() => {
      this.#ready.push(lane);
      this.#startReady();
    }, pause);
  }
}
