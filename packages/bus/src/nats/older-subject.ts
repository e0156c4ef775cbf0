/**
 * What older programs appended to another subject than the one that is followed, which may still be there, and during an upgrade
 * still comes: read as if both were one, in the order of the stream.
 *
 * Invariant: whoever reads a message of the followed subject asks `isClear` of it first. Where that says so, nothing in front of it is
 * left to be read of the older one; where it does not, `next` gives all up to there, of both. It costs one question to the server
 * for all that is in the stream at that moment.
 *
 * An older program that follows its subject alone knows nothing of the other one: what is appended to both while it does so may be
 * read by it, and by whoever follows later, in another order than that of the stream.
 */
import type { StoredMsg } from '@nats-io/jetstream';
import type { OlderSubject } from '../transport.ts';
import type { Followed, FollowerServer } from './follower.ts';
import { receivedIn } from './headers.ts';
import { type RemovalOptions, Removals } from './removals.ts';

export interface OlderSubjectOptions extends RemovalOptions {
  /** Its subject as callers know it. */
  readonly older: OlderSubject;
  /** Milliseconds until it is first looked whether something was appended to it since; each time twice as long, up to the longest. */
  readonly olderPause: number;
  readonly longestOlderPause: number;
}

export class OlderMessages {
  /** They lie among those of others. */
  readonly removals: Removals;
  readonly #server: FollowerServer;
  readonly #followed: Followed;
  readonly #older: OlderSubject;
  readonly #subject: string;
  readonly #longestPause: number;
  #pause: number;
  /** Of what is in the stream up to here, nothing is left to be read of the older subject. */
  #clearUpTo = 0;

  constructor(server: FollowerServer, followed: Followed, options: OlderSubjectOptions) {
    this.#server = server;
    this.#followed = followed;
    this.#older = options.older;
    this.#subject = followed.prefix + options.older.subject;
    this.#pause = options.olderPause;
    this.#longestPause = options.longestOlderPause;
    this.removals = new Removals(server, { ...followed, subject: this.#subject }, options);
  }

  /** Is it the older subject, as callers know it? */
  isOf(subject: string): boolean {
    return subject === this.#older.subject;
  }

  /** The stream was replaced. */
  forget(): void {
    this.#clearUpTo = 0;
  }

  /** `read`: sequence number of what was read last, of either subject. */
  async isClear(sequence: number, read: number): Promise<boolean> {
    if (sequence <= this.#clearUpTo) {
      return true;
    }
    const { link, manager } = this.#server;
    const filter = { subjects_filter: this.#subject };
    const { state } = await link.whileUp(() => manager.streams.info(this.#followed.stream, filter));
    const isEmpty = Object.keys(state.subjects ?? {}).length === 0;
    if (!isEmpty && (await this.#nextOf(this.#subject, read)) !== undefined) {
      return false;
    }
    this.#clearUpTo = state.last_seq;
    return true;
  }

  /** The next message of both subjects, and whether it is ours to read; `undefined` once none is left of the older one. */
  async next(read: number): Promise<{ readonly message: StoredMsg; readonly isMine: boolean } | undefined> {
    const older = await this.#nextOf(this.#subject, read);
    if (older === undefined) {
      return undefined;
    }
    // Asked for after that, so what it does not find is behind the older one.
    const newer = await this.#nextOf(this.#followed.subject, read);
    return newer !== undefined && newer.seq < older.seq
      ? { message: newer, isMine: true }
      : { message: older, isMine: this.#older.isMine(receivedIn(older.header).fields) };
  }

  /** Tells once when something was appended behind what was read. @returns what ends that */
  watch(read: () => number, appended: () => void): () => void {
    let timer: NodeJS.Timeout | undefined;
    let isOver = false;
    const wait = (): void => {
      if (!isOver) {
        timer = setTimeout(() => void look().catch(wait), this.#pause).unref();
        this.#pause = Math.min(2 * this.#pause, this.#longestPause);
      }
    };
    const look = async (): Promise<void> => {
      if (await this.isClear(Number.POSITIVE_INFINITY, read())) {
        wait();
      } else {
        appended();
      }
    };
    wait();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }

  async #nextOf(subject: string, read: number): Promise<StoredMsg | undefined> {
    const { link, manager } = this.#server;
    const query = { seq: read + 1, next_by_subj: subject };
    return (await link.whileUp(() => manager.streams.getMessage(this.#followed.stream, query))) ?? undefined;
  }
}
