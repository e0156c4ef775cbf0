/**
 * What was looked up, for as long as it holds; failures too, for as long as whoever looked says.
 *
 * Invariants: whoever asks for the same key while it is looked up shares one lookup; at most `atOnce` run and `waiting` more
 * wait for their turn, beyond which asking is refused; at most `capacity` answers are kept, those longest unasked go first.
 */
import { fospError } from '@fosp/protocol';

export interface Kept<Value> {
  readonly value: Value;
  /** How long it holds, from when it came. */
  readonly seconds: number;
}

export interface LookupCacheOptions {
  readonly capacity: number;
  readonly atOnce: number;
  readonly waiting: number;
  /** Milliseconds. */
  readonly clock: () => number;
}

interface Entry<Value> {
  readonly value: Promise<Value>;
  /** Until when it holds; `undefined` while it is looked up. */
  until: number | undefined;
}

export class LookupCache<Value> {
  readonly #options: LookupCacheOptions;
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #line: (() => void)[] = [];
  #running = 0;

  constructor(options: LookupCacheOptions) {
    this.#options = options;
  }

  /** How many answers there are, and lookups that will bring one. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * What is known of the key, or what `look` brings.
   *
   * @throws FospError `unavailable` where too many wait already; what `look` throws, which is not kept
   */
  get(key: string, look: () => Promise<Kept<Value>>): Promise<Value> {
    const present = this.#entries.get(key);
    if (present !== undefined && (present.until === undefined || present.until > this.#options.clock())) {
      this.#entries.delete(key);
      this.#entries.set(key, present);
      return present.value;
    }
    const value = this.#inTurn(look).then((kept) => this.#keep(entry, kept));
    const entry: Entry<Value> = { value, until: undefined };
    entry.value.catch(() => this.#drop(key, entry));
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#bound();
    return entry.value;
  }

  /** Whoever asks next looks anew; a lookup that runs is new enough. */
  forget(key: string): void {
    const entry = this.#entries.get(key);
    if (entry?.until !== undefined) {
      this.#entries.delete(key);
    }
  }

  #keep(entry: Entry<Value>, { value, seconds }: Kept<Value>): Value {
    entry.until = this.#options.clock() + seconds * 1000;
    return value;
  }

  #drop(key: string, entry: Entry<Value>): void {
    if (this.#entries.get(key) === entry) {
      this.#entries.delete(key);
    }
  }

  #bound(): void {
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#options.capacity && oldest !== undefined) {
      this.#entries.delete(oldest);
    }
  }

  async #inTurn(look: () => Promise<Kept<Value>>): Promise<Kept<Value>> {
    if (this.#running < this.#options.atOnce) {
      this.#running++;
    } else if (this.#line.length < this.#options.waiting) {
      // Whoever ends hands over its turn, so that the number of those who run stays.
      await new Promise<void>((resolve) => this.#line.push(resolve));
    } else {
      throw fospError('unavailable', 'Too many other domains are being looked up. Try again later.');
    }
    try {
      return await look();
    } finally {
      const next = this.#line.shift();
      if (next === undefined) {
        this.#running--;
      } else {
        next();
      }
    }
  }
}
