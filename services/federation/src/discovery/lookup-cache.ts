/**
 * What was looked up, for as long as it holds; failures too, for as long as whoever looked says.
 *
 * Invariants: whoever asks for the same key while it is looked up shares one lookup; at most `atOnce` run, and `waiting` more
 * wait for their turn, beyond which asking is refused; at most `capacity` answers are kept, those longest unasked go first.
 * Keys that were found before are looked up before others, and have places of their own to run and to wait in: any number of
 * keys that lead nowhere keep none of them waiting.
 */
import { fospError } from '@fosp/protocol';

export interface Kept<Value> {
  readonly value: Value;
  /** How long it holds, from when it came. */
  readonly seconds: number;
}

export interface LookupCacheOptions<Value> {
  readonly capacity: number;
  readonly atOnce: number;
  /** Of those, for keys that were found before. */
  readonly reserved: number;
  /** Of those that were found before, and of others. */
  readonly waiting: number;
  /** Does this say that the key leads somewhere? */
  readonly isFound: (value: Value) => boolean;
  /** Milliseconds. */
  readonly clock: () => number;
}

interface Entry<Value> {
  readonly value: Promise<Value>;
  /** Until when it holds; `undefined` while it is looked up. */
  until: number | undefined;
}

/** Lookups of one sort: of keys that were found before, or of others. */
interface Sort {
  /** Of both sorts, that may run when one of this sort begins. */
  readonly atOnce: number;
  readonly line: (() => void)[];
}

export class LookupCache<Value> {
  readonly #options: LookupCacheOptions<Value>;
  readonly #entries = new Map<string, Entry<Value>>();
  /** The last that was looked up last. */
  readonly #found = new Set<string>();
  readonly #ofFound: Sort;
  readonly #ofOthers: Sort;
  #running = 0;

  constructor(options: LookupCacheOptions<Value>) {
    this.#options = options;
    this.#ofFound = { atOnce: options.atOnce, line: [] };
    this.#ofOthers = { atOnce: Math.max(1, options.atOnce - options.reserved), line: [] };
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
    const sort = this.#found.has(key) ? this.#ofFound : this.#ofOthers;
    const value = this.#inTurn(sort, look).then((kept) => {
      this.#remember(key, kept.value);
      return this.#keep(entry, kept);
    });
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

  #remember(key: string, value: Value): void {
    if (!this.#options.isFound(value)) {
      return;
    }
    this.#found.delete(key);
    this.#found.add(key);
    const [oldest] = this.#found;
    if (this.#found.size > this.#options.capacity && oldest !== undefined) {
      this.#found.delete(oldest);
    }
  }

  async #inTurn({ atOnce, line }: Sort, look: () => Promise<Kept<Value>>): Promise<Kept<Value>> {
    if (this.#running < atOnce) {
      this.#running++;
    } else if (line.length < this.#options.waiting) {
      await new Promise<void>((resolve) => line.push(resolve));
    } else {
      throw fospError('unavailable', 'Too many other domains are being looked up. Try again later.');
    }
    try {
      return await look();
    } finally {
      this.#running--;
      this.#next();
    }
  }

  #next(): void {
    for (const { atOnce, line } of [this.#ofFound, this.#ofOthers]) {
      const next = this.#running < atOnce ? line.shift() : undefined;
      if (next !== undefined) {
        // Counted now, so that nobody who comes in between takes its place.
        this.#running++;
        next();
        return;
      }
    }
  }
}
