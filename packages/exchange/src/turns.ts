/**
 * A number of places for those who share a link, given in turns: who has many requests waiting gets one place, then all
 * others get theirs, before the next one. So nobody waits for more than one request of each other.
 */
import { bound } from '@fosp/runtime';

export interface TurnsOptions {
  readonly places: number;
  /** Whether anything may begin now; where it says no, `proceed` is called once it may. */
  readonly mayBegin: () => boolean;
}

export class Turns {
  readonly #options: TurnsOptions;
  /** What waits to begin, by whose it is, in the order of their turns. */
  readonly #waiting = new Map<object, (() => void)[]>();
  #taken = 0;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Calls what is given once there is a place and it is this one's turn, which may be now; `leave` gives the place back. */
  enter(whose: object, given: () => void): void {
    // It may be begun when another one's is over.
    const begin = bound(given);
    const line = this.#waiting.get(whose);
    if (line === undefined) {
      this.#waiting.set(whose, [begin]);
    } else {
      line.push(begin);
    }
    this.proceed();
  }

  leave(): void {
    this.#taken--;
    this.proceed();
  }

  /** Begins what may begin by now. */
  proceed(): void {
    while (this.#taken < this.#options.places && this.#waiting.size > 0 && this.#options.mayBegin()) {
      this.#taken++;
      this.#next()?.();
    }
  }

  /** What waits is never begun. */
  clear(): void {
    this.#waiting.clear();
  }

  #next(): (() => void) | undefined {
    for (const [whose, line] of this.#waiting) {
      const begin = line.shift();
      this.#waiting.delete(whose);
      if (line.length > 0) {
        // To the end of the order.
        this.#waiting.set(whose, line);
      }
      return begin;
    }
    return undefined;
  }
}
