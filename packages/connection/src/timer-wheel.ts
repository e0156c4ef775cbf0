/**
 * One clock for all timeouts of all connections of a process.
 *
 * 256 slots of 250 ms, each a set of who is to be woken then. A deadline further away than the wheel goes round is put into
 * the last slot: being woken early is normal, whoever is woken looks at the clock and schedules anew. So what a message
 * or a heartbeat costs is at most one comparison: a deadline that only moves later moves nothing here.
 *
 * Lifecycle: the interval runs while anything is scheduled, so that an idle wheel keeps no process alive.
 */
export const TIMER_RESOLUTION_MS = 250;

const SLOTS = 256;

/** Something with deadlines. One object is scheduled once, at the earliest of its deadlines. */
export interface Timed {
  /** The wheel's own: number of the slot it is in, -1 for none. */
  slot: number;
  /** Called once, not after `TIMER_RESOLUTION_MS` behind its time, maybe earlier. */
  wake(now: number): void;
}

export interface TimerWheelOptions {
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
  /** Calls `tick` again and again; returns how to stop that. */
  readonly every?: (milliseconds: number, tick: () => void) => () => void;
}

export class TimerWheel {
  readonly #now: () => number;
  readonly #every: (milliseconds: number, tick: () => void) => () => void;
  readonly #slots: (Set<Timed> | undefined)[] = new Array(SLOTS);
  #count = 0;
  /** The slot that was last emptied. Slot numbers only grow; they are taken modulo SLOTS as places. */
  #current = 0;
  #time: number;
  #stop: (() => void) | undefined;

  constructor(options: TimerWheelOptions = {}) {
    this.#now = options.now ?? (() => performance.now());
    this.#every = options.every ?? everyInterval;
    this.#time = this.#now();
  }

  /** Milliseconds, as of the last tick: exact to `TIMER_RESOLUTION_MS` and costs nothing, while anything is scheduled. */
  get time(): number {
    return this.#time;
  }

  /** Whether anything is scheduled. */
  get isRunning(): boolean {
    return this.#stop !== undefined;
  }

  /** Sees to it that `timed` is woken at `at`, or earlier if it was to be. */
  schedule(timed: Timed, at: number): void {
    if (this.#stop === undefined) {
      this.#time = this.#now();
      this.#current = Math.floor(this.#time / TIMER_RESOLUTION_MS);
      this.#stop = this.#every(TIMER_RESOLUTION_MS, () => this.#tick());
    }
    const wanted = Math.min(Math.ceil(at / TIMER_RESOLUTION_MS), this.#current + SLOTS - 1);
    const slot = Math.max(wanted, this.#current + 1);
    if (timed.slot >= 0) {
      if (timed.slot <= slot) {
        return;
      }
      this.#remove(timed);
    }
    const place = slot % SLOTS;
    const members = this.#slots[place] ?? new Set();
    this.#slots[place] = members;
    members.add(timed);
    timed.slot = slot;
    this.#count++;
  }

  cancel(timed: Timed): void {
    if (timed.slot >= 0) {
      this.#remove(timed);
      this.#stopWhenEmpty();
    }
  }

  #remove(timed: Timed): void {
    const place = timed.slot % SLOTS;
    const members = this.#slots[place];
    members?.delete(timed);
    if (members?.size === 0) {
      this.#slots[place] = undefined;
    }
    timed.slot = -1;
    this.#count--;
  }

  #tick(): void {
    this.#time = this.#now();
    const reached = Math.floor(this.#time / TIMER_RESOLUTION_MS);
    // After a long pause of the process every slot is due, but each only once.
    this.#current = Math.max(this.#current, reached - SLOTS);
    while (this.#current < reached) {
      this.#current++;
      const due = this.#slots[this.#current % SLOTS];
      // Whoever is woken may cancel others of the same slot, but adds none: the wheel's furthest slot is the one before.
      for (const timed of due ?? []) {
        this.#remove(timed);
        timed.wake(this.#time);
      }
    }
    this.#stopWhenEmpty();
  }

  #stopWhenEmpty(): void {
    if (this.#count === 0) {
      this.#stop?.();
      this.#stop = undefined;
    }
  }
}

function everyInterval(milliseconds: number, tick: () => void): () => void {
  const interval = setInterval(tick, milliseconds);
  return () => clearInterval(interval);
}
