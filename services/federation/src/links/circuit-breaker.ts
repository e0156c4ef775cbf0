/**
 * Whether a domain that could not be reached is worth another try. After each failure there is a pause, longer each time, up
 * to a limit that is short while the outage is, so that whoever comes back soon is found soon; a sign of life ends it.
 */
import { type BackOffOptions, backOff } from '@fosp/runtime';

export interface CircuitBreakerOptions {
  readonly pauses: BackOffOptions;
  readonly outageSeconds: number;
  readonly longestPause: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** From 0 up to but not including 1. */
  readonly random: () => number;
}

export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  #failures = 0;
  #failingSince = 0;
  #until = 0;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
  }

  /** Milliseconds until it may be tried. */
  get pause(): number {
    return Math.max(0, this.#until - this.#options.clock());
  }

  get failures(): number {
    return this.#failures;
  }

  /** Is it away for so long that there is little hope to find it soon? */
  get isGone(): boolean {
    const { clock, outageSeconds } = this.#options;
    return this.#failures > 0 && clock() - this.#failingSince > outageSeconds * 1000;
  }

  /** `leastPause` milliseconds were asked for by the other side; not believed beyond the longest of ours. */
  failed(leastPause = 0): void {
    const { pauses, longestPause, clock, random } = this.#options;
    const now = clock();
    if (this.#failures === 0) {
      this.#failingSince = now;
    }
    this.#failures++;
    const pause = backOff(this.#failures, random(), this.isGone ? { ...pauses, longest: longestPause } : pauses);
    this.#until = now + Math.max(pause, Math.min(leastPause, longestPause));
  }

  succeeded(): void {
    this.#failures = 0;
    this.#until = 0;
  }

  /** It gave a sign of life: it may be tried at once, and pauses begin anew with the shortest. */
  reset(): void {
    this.succeeded();
  }
}
