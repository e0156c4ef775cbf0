/**
 * When one connection is read, and what memory its incoming messages hold.
 *
 * Reading stops while the owner paused the peer, a body that streams is not taken, or the budget makes this connection
 * wait; it goes on when none of these holds. A pause by the owner waits for the end of a body that already streams, or
 * is being dropped: whoever processes that body may be what the pause waits for.
 *
 * It also times the message under way: no progress for `messageSeconds`, or less than `messageBytesPerSecond` on average
 * after that, closes the connection with 1008. Time in which we do not read is not counted.
 */
import type { BudgetMember, TransferBudget } from './budget.ts';
import type { Channel } from './channel.ts';
import { CLOSE_CODES } from './close-codes.ts';
import type { PeerEnvironment } from './options.ts';
import type { Timed, TimerWheel } from './timer-wheel.ts';
import type { PeerLimits } from './types.ts';

/** A message that holds no more than this never waits for the budget: small requests are served when large ones wait. */
const SMALL_BYTES = 16 * 1024;
const NO_MEMORY = 'out of memory for messages, try again later';

export class Flow implements BudgetMember, Timed {
  slot = -1;
  readonly #channel: Channel;
  readonly #budget: TransferBudget;
  readonly #timers: TimerWheel;
  readonly #limits: PeerLimits;
  #over = false;
  /** Reserved bytes: of bodies that stream, and all others. */
  #streaming = 0;
  #held = 0;
  #kept = 0;
  /** Why reading stops, and whether it is. */
  #paused = false;
  #waits = false;
  #streamFull = false;
  #stopped = false;
  /** The body under way streams or is dropped. */
  #passes = false;
  /** The message under way: its bytes, the time it had, and since when time runs; -1 when there is none or it stands still. */
  #bytes = -1;
  #elapsed = 0;
  #since = 0;
  #progressAt = 0;

  constructor(channel: Channel, environment: PeerEnvironment, limits: PeerLimits) {
    this.#channel = channel;
    this.#budget = environment.budget;
    this.#timers = environment.timers;
    this.#limits = limits;
  }

  pause(): void {
    this.#paused = true;
    this.#apply();
  }

  resume(): void {
    this.#paused = false;
    this.#apply();
  }

  /** Reserves what is buffered. @returns false when there is no memory left, and then the connection closes */
  hold(bytes: number): boolean {
    if (!this.#reserve(bytes)) {
      return false;
    }
    this.#held += bytes;
    return true;
  }

  release(bytes: number): void {
    if (!this.#over && bytes > 0) {
      this.#held -= bytes;
      this.#budget.give(bytes);
    }
  }

  /** Reserves a piece of a body that streams. */
  holdStream(bytes: number): boolean {
    if (!this.#reserve(bytes)) {
      return false;
    }
    this.#streaming += bytes;
    this.#checkStream();
    return true;
  }

  /** Streams may be read to their end after the connection is over. */
  releaseStream(bytes: number): void {
    this.#streaming -= bytes;
    this.#budget.give(bytes);
    if (!this.#over) {
      this.#checkStream();
    }
  }

  /** The channel keeps input that it had read before it was paused. */
  keep(bytes: number): void {
    const more = bytes - this.#kept;
    if (more > 0 && !this.hold(more)) {
      return;
    }
    this.release(-more);
    this.#kept = bytes;
  }

  /** A message begins to arrive that is not there as a whole. */
  begin(): void {
    this.#timers.schedule(this, this.#timers.time + this.#limits.messageSeconds * 1000);
    this.#bytes = 0;
    this.#elapsed = 0;
    this.#since = this.#timers.time;
    this.#progressAt = this.#timers.time;
  }

  progress(bytes: number): void {
    this.#bytes += bytes;
    this.#progressAt = this.#timers.time;
  }

  /** The buffered message under way has grown to so many bytes. */
  grown(bytes: number): void {
    if (bytes > SMALL_BYTES && this.#budget.mustWait(this)) {
      this.#waits = true;
      this.#apply();
    }
  }

  /** The rest of the message under way streams or is dropped. */
  pass(): void {
    this.#passes = true;
    this.#leaveBudget();
    this.#apply();
  }

  /** The message under way is complete. */
  end(): void {
    this.#bytes = -1;
    this.#passes = false;
    this.#leaveBudget();
    this.#apply();
  }

  goOn(): void {
    this.#waits = false;
    this.#apply();
  }

  giveUp(): void {
    this.#channel.close(CLOSE_CODES.tryLater.code, NO_MEMORY);
  }

  wake(now: number): void {
    if (this.#bytes < 0 || this.#stopped) {
      return;
    }
    const allowed = this.#limits.messageSeconds * 1000;
    const elapsed = this.#elapsed + now - this.#since;
    if (now - this.#progressAt >= allowed) {
      this.#channel.close(CLOSE_CODES.policy.code, `nothing of a message arrived for ${allowed / 1000} s`);
    } else if (elapsed >= allowed && this.#bytes * 1000 < elapsed * this.#limits.messageBytesPerSecond) {
      this.#channel.close(
        CLOSE_CODES.policy.code,
        `a message arrived at under ${this.#limits.messageBytesPerSecond} bytes/s`,
      );
    } else {
      this.#timers.schedule(this, elapsed < allowed ? now + allowed - elapsed : this.#progressAt + allowed);
    }
  }

  /** No more messages: gives everything back but what streams, and reads on, for the closing handshake. */
  shut(): void {
    if (!this.#over) {
      this.#paused = false;
      this.#streamFull = false;
      this.release(this.#held);
      this.end();
      this.#over = true;
      this.#timers.cancel(this);
    }
  }

  #reserve(bytes: number): boolean {
    if (this.#over) {
      return false;
    }
    if (!this.#budget.take(bytes)) {
      this.giveUp();
      return false;
    }
    // It may have been this connection that had to make room.
    if (this.#over) {
      this.#budget.give(bytes);
    }
    return !this.#over;
  }

  #leaveBudget(): void {
    this.#waits = false;
    this.#budget.leave(this);
  }

  #checkStream(): void {
    const most = this.#limits.streamBytes;
    const crowded = this.#budget.isCrowded;
    if (this.#streamFull) {
      this.#streamFull = this.#streaming > 0 && (crowded || this.#streaming * 2 > most);
    } else {
      this.#streamFull = this.#streaming >= most || (crowded && this.#streaming > 0);
    }
    this.#apply();
  }

  #apply(): void {
    const stop = (this.#paused && !this.#passes) || this.#waits || this.#streamFull;
    if (stop === this.#stopped || this.#over) {
      return;
    }
    this.#stopped = stop;
    if (stop) {
      this.#elapsed += this.#timers.time - this.#since;
      this.#channel.pause();
    } else {
      this.#since = this.#timers.time;
      this.#progressAt = this.#timers.time;
      if (this.#bytes >= 0) {
        this.#timers.schedule(this, this.#timers.time + this.#limits.messageSeconds * 1000);
      }
      this.#channel.resume();
    }
  }
}
