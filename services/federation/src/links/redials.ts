/**
 * Where domains that are away wait for their turn to be tried again: so many turns per second, however many domains wait, and
 * nothing is asked of those who do. Whoever is reached gives its turn back: where it was this server that was cut off from all
 * of them, they are all reached again soon after one is.
 *
 * Invariants: each waits once, in one of two lines, which have turns alternately: one for those that were there a while ago, so
 * that they are found soon however many others are gone for good, or never were. Within a line who came first has its turn first. Nobody has a
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

/** Those who wait, in order, each with how many had come before it to this line. */
interface Line {
  readonly waiting: Map<Turn, number>;
  came: number;
}

export class Redials {
  readonly #options: RedialsOptions;
  readonly #rate: KeyedRate;
  /** The one whose turn is next is the first. */
  #lines: readonly [Line, Line];
  readonly #recent: Line = { waiting: new Map(), came: 0 };
  readonly #gone: Line = { waiting: new Map(), came: 0 };
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

  /** `isGone`: the domain is away for long, or was never there. One that waits already stays where it is. */
  enter(turn: Turn, isGone: boolean): void {
    if (!this.#lines.some(({ waiting }) => waiting.has(turn))) {
      const line = isGone ? this.#gone : this.#recent;
      line.waiting.set(turn, line.came++);
      this.#proceed();
    }
  }

  leave(turn: Turn): void {
    for (const { waiting } of this.#lines) {
      waiting.delete(turn);
    }
    if (this.#isEmpty) {
      this.#stopWaiting();
    }
  }

  /** Milliseconds until it is this one's turn, about; 0 for one that does not wait. */
  waitOf(turn: Turn): number {
    const [next, second] = this.#lines;
    const [line, other] = next.waiting.has(turn) ? [next, second] : [second, next];
    const came = line.waiting.get(turn);
    const [first] = line.waiting.values();
    if (came === undefined || first === undefined) {
      return 0;
    }
    const before = came - first;
    const ofOther = Math.min(line === next ? before : before + 1, other.waiting.size);
    return ((before + ofOther + 1) / this.#options.rate.perSecond) * 1000;
  }

  get #isEmpty(): boolean {
    return this.#recent.waiting.size + this.#gone.waiting.size === 0;
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
    const { waiting } = one.waiting.size > 0 ? one : other;
    const [turn] = waiting.keys();
    if (turn !== undefined) {
      waiting.delete(turn);
      turn();
    }
  }

  #takeTurn(): boolean {
    return this.#rate.take('', 1, this.#options.clock());
  }
}
