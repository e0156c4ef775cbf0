/**
 * Where domains that are away wait for their turn to be tried again: so many turns per second, however many domains wait, and
 * nothing is asked of those who do. Whoever is reached gives its turn back: where it was this server that was cut off from all
 * of them, they are all reached again soon after one is.
 *
 * Invariants: each waits once, in one of two lines, which have turns alternately: one for those that were there a while ago, so
 * that they are found soon however many others are gone for good. Within a line who came first has its turn first. Nobody has a
 * turn out of the line while others wait.
 */
import { KeyedRate, type Rate } from '@fosp/exchange';

export interface RedialsOptions {
  readonly rate: Rate;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** Called when it is its turn. */
export type Turn = () => void;

/** Those who wait, in order, each with how many had come before it. */
type Line = Map<Turn, number>;

export class Redials {
  readonly #options: RedialsOptions;
  readonly #rate: KeyedRate;
  /** The one whose turn is next is the first. */
  #lines: readonly [Line, Line];
  readonly #recent: Line = new Map();
  readonly #gone: Line = new Map();
  #came = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RedialsOptions) {
    this.#options = options;
    this.#rate = new KeyedRate(options.rate, 1);
    this.#lines = [this.#recent, this.#gone];
  }

  /** A turn at once, where nobody waits for one and there is one to be had. */
  take(): boolean {
    return this.#isEmpty && this.#takeTurn();
  }

  /** It was not needed, or the domain is there again. */
  giveBack(): void {
    this.#rate.spend('', -1, this.#options.clock());
    this.#stopWaiting();
    this.#proceed();
  }

  /** `isGone`: the domain is away for long. One that waits already stays where it is. */
  enter(turn: Turn, isGone: boolean): void {
    if (!this.#recent.has(turn) && !this.#gone.has(turn)) {
      (isGone ? this.#gone : this.#recent).set(turn, this.#came++);
      this.#proceed();
    }
  }

  leave(turn: Turn): void {
    for (const line of this.#lines) {
      line.delete(turn);
    }
    if (this.#isEmpty) {
      this.#stopWaiting();
    }
  }

  /** Milliseconds until it is this one's turn, about; 0 for one that does not wait. */
  waitOf(turn: Turn): number {
    const line = this.#recent.has(turn) ? this.#recent : this.#gone;
    const came = line.get(turn);
    if (came === undefined) {
      return 0;
    }
    // Those of both lines were counted, and of both lines they have their turns.
    const first = Math.min(...this.#lines.flatMap((each) => [...each.values().take(1)]));
    return ((came - first + 1) / this.#options.rate.perSecond) * 1000;
  }

  get #isEmpty(): boolean {
    return this.#recent.size + this.#gone.size === 0;
  }

  #proceed(): void {
    while (this.#timer === undefined && !this.#isEmpty) {
      if (this.#takeTurn()) {
        this.#next();
      } else {
        this.#timer = setTimeout(() => {
          this.#timer = undefined;
          this.#proceed();
        }, 1000 / this.#options.rate.perSecond);
      }
    }
  }

  #stopWaiting(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #next(): void {
    const [one, other] = this.#lines;
    this.#lines = [other, one];
    const line = one.size > 0 ? one : other;
    const [turn] = line.keys();
    if (turn !== undefined) {
      line.delete(turn);
      turn();
    }
  }

  #takeTurn(): boolean {
    return this.#rate.take('', 1, this.#options.clock());
  }
}
