/**
 * Follows all entries of a bucket of JetStream KV, from its last values on; begins anew where it cannot be sure to have
 * seen everything. Nothing rests on its being complete, since every write is checked against the revision it builds on:
 * it makes things happen soon.
 */
import type { KV, KvEntry } from '@nats-io/kv';
import type { Link } from './link.ts';

type Watch = AsyncIterable<KvEntry> & { stop(): void };

export class BucketWatch {
  readonly #link: Link;
  readonly #bucket: KV;
  readonly #see: (entry: KvEntry) => void;
  #watch: Watch | undefined;
  #opening: Promise<void> | undefined;
  #stopped = false;

  constructor(link: Link, bucket: KV, see: (entry: KvEntry) => void) {
    this.#link = link;
    this.#bucket = bucket;
    this.#see = see;
  }

  /** Opens the watch unless it is open; where that fails, the next call tries again. */
  async ensure(): Promise<void> {
    if (this.#watch === undefined && !this.#stopped) {
      this.#opening ??= this.#open().finally(() => {
        this.#opening = undefined;
      });
      await this.#opening;
    }
  }

  /** What it sees from here on counts for nothing, until `ensure`. */
  close(): void {
    this.#watch?.stop();
    this.#watch = undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.close();
  }

  async #open(): Promise<void> {
    try {
      const entries = await this.#link.whileUp(() => this.#bucket.watch());
      this.#watch = entries;
      void this.#follow(entries);
      if (this.#stopped) {
        this.close();
      }
    } catch {
      // Not reachable now.
    }
  }

  async #follow(entries: Watch): Promise<void> {
    try {
      for await (const entry of entries) {
        if (this.#watch === entries) {
          this.#see(entry);
        }
      }
    } catch {
      // Ended by the server: the next `ensure` opens it again.
    }
    if (this.#watch === entries) {
      this.#watch = undefined;
    }
  }
}
