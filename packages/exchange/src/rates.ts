/** What a token bucket allows: `perSecond` on average, `burst` at once. The unit is the caller's. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  /** Milliseconds since the epoch when `tokens` was right. */
  at: number;
}

/**
 * A token bucket for each of some keys. Holds `keys` of them at most: beyond that the one longest unused is forgotten,
 * which forgives it, and no more.
 */
export class KeyedRate {
  readonly #rate: Rate;
  readonly #keys: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, keys: number) {
    this.#rate = rate;
    this.#keys = keys;
  }

  /** Takes `cost` from the key's bucket. False, and nothing taken, where there is not so much in it. */
  take(key: string, cost: number, now: number): boolean {
    const bucket = this.#bucket(key, now);
    if (bucket.tokens < cost) {
      return false;
    }
    bucket.tokens -= cost;
    return true;
  }

  /** Takes `cost` of what happened already, be it more than there is. False where that has to be earned first. */
  spend(key: string, cost: number, now: number): boolean {
    const bucket = this.#bucket(key, now);
    bucket.tokens -= cost;
    return bucket.tokens >= 0;
  }

  #bucket(key: string, now: number): Bucket {
    const bucket = this.#buckets.get(key) ?? { tokens: this.#rate.burst, at: now };
    // To the end of the map's order: its first entry is the one longest unused.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > this.#keys) {
      const [oldest = key] = this.#buckets.keys();
      this.#buckets.delete(oldest);
    }
    const earned = (Math.max(0, now - bucket.at) / 1000) * this.#rate.perSecond;
    bucket.tokens = Math.min(this.#rate.burst, bucket.tokens + earned);
    bucket.at = now;
    return bucket;
  }
}
