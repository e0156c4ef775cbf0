/** Counters of one process: windows of fixed length, beginning with a key's first event. */
import type { Count, Counters } from './counters.ts';

export interface MemoryCountersOptions {
  /** Milliseconds of a window. */
  readonly window: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Keys counted at once; beyond them the window that began first is forgotten; 100,000. */
  readonly keys?: number;
}

const DEFAULT_KEYS = 100_000;

interface Window {
  count: number;
  readonly endsAt: number;
}

export function createMemoryCounters(options: MemoryCountersOptions): Counters {
  return new MemoryCounters(options);
}

class MemoryCounters implements Counters {
  readonly #length: number;
  readonly #clock: () => number;
  readonly #keys: number;
  /** In order of their ends, since all are as long. */
  readonly #windows = new Map<string, Window>();

  constructor({ window, clock, keys = DEFAULT_KEYS }: MemoryCountersOptions) {
    this.#length = window;
    this.#clock = clock;
    this.#keys = keys;
  }

  add(key: string): Count {
    const now = this.#clock();
    const window = this.#running(key, now) ?? this.#begin(key, now);
    window.count++;
    return { count: window.count, resetsIn: window.endsAt - now };
  }

  read(key: string): Count {
    const now = this.#clock();
    const window = this.#running(key, now);
    return window === undefined ? { count: 0, resetsIn: 0 } : { count: window.count, resetsIn: window.endsAt - now };
  }

  #running(key: string, now: number): Window | undefined {
    const window = this.#windows.get(key);
    return window !== undefined && window.endsAt > now ? window : undefined;
  }

  #begin(key: string, now: number): Window {
    this.#windows.delete(key);
    for (const [oldest, { endsAt }] of this.#windows) {
      if (endsAt > now && this.#windows.size < this.#keys) {
        break;
      }
      this.#windows.delete(oldest);
    }
    const window = { count: 0, endsAt: now + this.#length };
    this.#windows.set(key, window);
    return window;
  }
}
