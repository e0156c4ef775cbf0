/**
 * Deadlines of many calls on one timer. A call nearly always ends before its deadline, so watching one must cost little:
 * deadlines are rounded up to ticks, those of one tick share a set, and the timer runs while anything is watched.
 *
 * Invariant: `passed` is called once, at the deadline or up to one tick after it, unless `forget` came first.
 */
export interface Watched {
  readonly tick: number;
  readonly passed: () => void;
}

export class Deadlines {
  readonly #clock: () => number;
  readonly #tickMilliseconds: number;
  readonly #ticks = new Map<number, Set<Watched>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: () => number, tickMilliseconds: number) {
    this.#clock = clock;
    this.#tickMilliseconds = tickMilliseconds;
  }

  /** `deadline` in milliseconds since the epoch. */
  watch(deadline: number, passed: () => void): Watched {
    const watched = { tick: Math.ceil(deadline / this.#tickMilliseconds), passed };
    const sameTick = this.#ticks.get(watched.tick);
    if (sameTick === undefined) {
      this.#ticks.set(watched.tick, new Set([watched]));
      this.#timer ??= setTimeout(() => this.#onTick(), this.#tickMilliseconds);
    } else {
      sameTick.add(watched);
    }
    return watched;
  }

  forget(watched: Watched): void {
    this.#ticks.get(watched.tick)?.delete(watched);
  }

  #onTick(): void {
    const now = this.#clock() / this.#tickMilliseconds;
    for (const [tick, watched] of this.#ticks) {
      if (tick <= now) {
        this.#ticks.delete(tick);
        for (const { passed } of watched) {
          passed();
        }
      } else if (watched.size === 0) {
        this.#ticks.delete(tick);
      }
    }
    this.#timer = this.#ticks.size === 0 ? undefined : setTimeout(() => this.#onTick(), this.#tickMilliseconds);
  }
}
