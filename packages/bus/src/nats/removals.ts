/**
 * Removes acknowledged messages of one subject from their stream. One removal of all up to a sequence number is by far the
 * cheapest where they lie close together; where they lie among many others, the server would read all of these and
 * take nothing for the stream meanwhile, so there they are removed one by one.
 *
 * Invariant: what could not be removed stays to be removed, until `finish`; then it is up to whoever acknowledges it again.
 */
import { JetStreamApiError } from '@nats-io/jetstream';
import type { Followed, FollowerServer } from './follower.ts';

export interface RemovalOptions {
  readonly retryPause: number;
  readonly removalPause: number;
  readonly removalsAtOnce: number;
  readonly waitingRemovals: number;
  /** Called when there may be room again. */
  readonly removed: () => void;
}

/** Status of what the server cannot do at the moment. */
const NOT_NOW = 503;

export class Removals {
  readonly #server: FollowerServer;
  readonly #followed: Followed;
  readonly #options: RemovalOptions;
  /** Sequence numbers, in order. */
  #waiting: number[] = [];
  #areClose = false;
  #timer: NodeJS.Timeout | undefined;
  #removing: Promise<void> = Promise.resolve();
  #isFailing = false;

  constructor(server: FollowerServer, followed: Followed, options: RemovalOptions) {
    this.#server = server;
    this.#followed = followed;
    this.#options = options;
  }

  get hasRoom(): boolean {
    return this.#waiting.length < this.#options.waitingRemovals;
  }

  /** `areClose`: all that is left of the subject, these included, lies close together. */
  add(sequences: readonly number[], areClose: boolean): void {
    this.#waiting.push(...sequences);
    this.#areClose = areClose;
    this.#removeIn(this.#options.removalPause);
  }

  /** Resolves once all is removed, or was tried to be. */
  async finish(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#removing;
    clearTimeout(this.#timer);
    while (this.#waiting.length > 0 && (await this.#removeSome())) {
      // Until it fails.
    }
  }

  #removeIn(milliseconds: number): void {
    this.#timer ??= setTimeout(() => {
      this.#removing = this.#remove();
    }, milliseconds);
  }

  async #remove(): Promise<void> {
    const succeeded = await this.#removeSome();
    this.#timer = undefined;
    if (this.#waiting.length > 0) {
      this.#removeIn(succeeded ? 0 : this.#options.retryPause);
    }
    this.#options.removed();
  }

  async #removeSome(): Promise<boolean> {
    const some = this.#areClose ? this.#waiting.slice() : this.#waiting.slice(0, this.#options.removalsAtOnce);
    try {
      await (this.#areClose
        ? this.#removeUpTo(some.at(-1) ?? 0)
        : Promise.all(some.map((each) => this.#removeOne(each))));
      this.#waiting.splice(0, some.length);
      this.#isFailing = false;
      return true;
    } catch (error) {
      if (!this.#isFailing && this.#server.link.isUp) {
        this.#server.warn(`What was handled of ${this.#followed.subject} cannot be removed: ${String(error)}`);
      }
      this.#isFailing = true;
      return false;
    }
  }

  async #removeUpTo(sequence: number): Promise<void> {
    const { stream, subject } = this.#followed;
    const { link, manager } = this.#server;
    await link.whileUp(() => manager.streams.purge(stream, { filter: subject, seq: sequence + 1 }));
  }

  async #removeOne(sequence: number): Promise<void> {
    const { link, manager } = this.#server;
    try {
      await link.whileUp(() => manager.streams.deleteMessage(this.#followed.stream, sequence, false));
    } catch (error) {
      // Else it is gone already, by its age or by whoever followed before.
      if (!(error instanceof JetStreamApiError) || error.status === NOT_NOW) {
        throw error;
      }
    }
  }
}
