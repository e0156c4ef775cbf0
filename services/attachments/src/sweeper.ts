/**
 * Deletes bytes that no object needs any more, now and then: keys that `objects` says are dead, or were left pending, and
 * what interrupted uploads left in the store.
 *
 * Invariant: a key is claimed in its row before its bytes go, and forgotten after; so a commit that comes late finds its key
 * taken, and a sweeper that dies halfway leaves a row, never a file without one. Claims expire; deleting twice is harmless.
 * An upload that ends after its key was forgotten does leave a file without a row: see `Orphans`.
 */
import { type Bus, OBJECTS } from '@fosp/bus';
import { Rounds } from './rounds.ts';
import type { FileStore } from './store.ts';
import type { Telemetry } from './telemetry.ts';

export interface SweeperOptions {
  readonly bus: Bus;
  readonly store: FileStore;
  readonly telemetry: Telemetry;
  /** Seconds between sweeps. */
  readonly sweepSeconds: number;
  /** Keys claimed at once. */
  readonly sweepKeys: number;
}

export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #rounds: Rounds;

  constructor(options: SweeperOptions) {
    this.#options = options;
    this.#rounds = new Rounds({
      pauseSeconds: options.sweepSeconds,
      work: () => this.sweep(),
      failed: options.telemetry.sweepFailed,
    });
  }

  start(): void {
    this.#rounds.start();
  }

  /** Resolves once a sweep that is running has ended. */
  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  /** One sweep, until nothing is left to claim. */
  async sweep(): Promise<void> {
    const { bus, store, telemetry, sweepKeys } = this.#options;
    const leftovers = await store.clean();
    let deleted = 0;
    for (let keys = await this.#claim(); keys.length > 0; keys = await this.#claim()) {
      await store.remove(keys);
      await bus.call(OBJECTS.forgetFiles, {}, Buffer.from(JSON.stringify(keys)));
      deleted += keys.length;
      if (keys.length < sweepKeys || this.#rounds.isStopped) {
        break;
      }
    }
    telemetry.swept(deleted, leftovers);
  }

  async #claim(): Promise<string[]> {
    const { body } = await this.#options.bus.call(OBJECTS.claimFiles, { limit: String(this.#options.sweepKeys) });
    return JSON.parse(Buffer.from(body).toString());
  }
}
