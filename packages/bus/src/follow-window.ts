/**
 * What was handed to a follower and is not acknowledged.
 *
 * Invariants: messages are fed in order, each once but for `rewind`; `feed` is called in a turn of the event loop of its own,
 * with all that came since the last; nothing is fed after `stop`.
 */
import type { FollowedMessage, FollowOptions } from './transport.ts';

export class FollowWindow {
  readonly #options: Pick<FollowOptions, 'window' | 'windowBytes' | 'feed'>;
  /** Not acknowledged, in order; those from `#fed` on are still to be fed. */
  #messages: FollowedMessage[] = [];
  #fed = 0;
  #lastFed = 0;
  #bytes = 0;
  #feeding: NodeJS.Immediate | undefined;

  constructor(options: Pick<FollowOptions, 'window' | 'windowBytes' | 'feed'>) {
    this.#options = options;
  }

  /** May another message be handed over? */
  get hasRoom(): boolean {
    const { window, windowBytes } = this.#options;
    return this.#messages.length < window && this.#bytes < windowBytes;
  }

  push(message: FollowedMessage): void {
    this.#messages.push(message);
    this.#bytes += message.body.byteLength;
    this.#feedSoon();
  }

  /** The messages that are done by this, in order; none that was never fed. */
  acknowledge(position: number): FollowedMessage[] {
    const upTo = Math.min(position, this.#lastFed);
    const first = this.#messages.findIndex((message) => message.position > upTo);
    const done = this.#messages.splice(0, first === -1 ? this.#messages.length : first);
    this.#fed = Math.max(0, this.#fed - done.length);
    for (const { body } of done) {
      this.#bytes -= body.byteLength;
    }
    return done;
  }

  rewind(): void {
    this.#fed = 0;
    this.#feedSoon();
  }

  stop(): void {
    clearImmediate(this.#feeding);
    this.#messages = [];
    this.#fed = 0;
  }

  #feedSoon(): void {
    this.#feeding ??= setImmediate(() => {
      this.#feeding = undefined;
      const fresh = this.#messages.slice(this.#fed);
      this.#fed = this.#messages.length;
      const last = fresh.at(-1);
      if (last !== undefined) {
        this.#lastFed = Math.max(this.#lastFed, last.position);
        this.#options.feed(fresh);
      }
    });
  }
}

/** Positions of a later stream are above those of an earlier one, since none takes so many messages all its life. */
const POSITIONS_PER_MILLISECOND = 1000;

/** What to add to the positions within a stream that began at this time, in milliseconds since the epoch. */
export function positionsFrom(begunAt: number): number {
  return begunAt * POSITIONS_PER_MILLISECOND;
}
