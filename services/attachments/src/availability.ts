/**
 * Whether the file store can be used: asked now and then, so that it is known while nobody transfers anything. While it
 * cannot, the process is not ready, and READ and WRITE are refused at once instead of after somebody's patience. It takes
 * two failures in a row, so that one slow answer of a busy store turns nobody away; it comes back by itself.
 */
import { fospError } from '@fosp/protocol';
import type { Health } from '@fosp/runtime';
import { Rounds } from './rounds.ts';
import type { FileStore } from './store.ts';
import type { Telemetry } from './telemetry.ts';

export interface AvailabilityOptions {
  readonly store: FileStore;
  readonly telemetry: Telemetry;
  /** Of the process, where there is one to be asked for it. */
  readonly health: Pick<Health, 'obstruct'> | undefined;
  /** Seconds between two looks. */
  readonly checkSeconds: number;
  /** Failures in a row after which the store counts as gone. */
  readonly checkFailures: number;
  /** Seconds after which who was refused may come back. */
  readonly retryAfterSeconds: number;
}

export class Availability {
  readonly #options: AvailabilityOptions;
  readonly #rounds: Rounds;
  #failures = 0;
  #clear: (() => void) | undefined;

  constructor(options: AvailabilityOptions) {
    this.#options = options;
    this.#rounds = new Rounds({
      pauseSeconds: options.checkSeconds,
      work: () => this.#check(),
      failed: (error) => this.#failed(error),
    });
  }

  start(): void {
    this.#rounds.start();
  }

  /** Resolves once a look that is running has ended. */
  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  /** @throws unavailable, while the store is gone */
  require(): void {
    if (this.isGone) {
      throw fospError('unavailable', 'The file store cannot be reached. Try again.', {
        headers: { 'Retry-After': String(this.#options.retryAfterSeconds) },
      });
    }
  }

  get isGone(): boolean {
    return this.#failures >= this.#options.checkFailures;
  }

  async #check(): Promise<void> {
    await this.#options.store.check();
    if (this.isGone) {
      this.#options.telemetry.storeIsBack();
    }
    this.#failures = 0;
    this.#clear?.();
    this.#clear = undefined;
  }

  #failed(error: unknown): void {
    this.#failures++;
    if (this.isGone && this.#clear === undefined) {
      this.#clear = this.#options.health?.obstruct('the file store cannot be reached') ?? (() => undefined);
      this.#options.telemetry.storeIsGone(error);
    }
  }
}
