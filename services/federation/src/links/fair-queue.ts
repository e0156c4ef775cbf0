/**
 * What waits to be sent over links that many users share.
 *
 * Invariants: at most `perUser` of one user are under way; those who wait get their turns one after the other, however much
 * any of them has waiting; what is kept is bounded, per user and in all.
 */
import { fospError } from '@fosp/protocol';

export interface Waiting {
  readonly user: string;
  readonly bytes: number;
}

export interface FairQueueLimits {
  /** Of one user that wait; one more is answered 429. */
  readonly waitingPerUser: number;
  /** Of all, and their bytes; one more is answered 503. */
  readonly waiting: number;
  readonly waitingBytes: number;
}

interface Line<Entry> {
  readonly waiting: Entry[];
  underWay: number;
}

export class FairQueue<Entry extends Waiting> {
  readonly #limits: FairQueueLimits;
  readonly #lines = new Map<string, Line<Entry>>();
  /** Users with something waiting that may be sent, in the order of their turns. */
  readonly #turns = new Set<string>();
  #perUser: number;
  #size = 0;
  #bytes = 0;

  constructor(perUser: number, limits: FairQueueLimits) {
    this.#perUser = perUser;
    this.#limits = limits;
  }

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** Does anything wait that may be sent now? */
  get hasNext(): boolean {
    return this.#turns.size > 0;
  }

  /** Of one user under way at once, from now on. */
  set perUser(perUser: number) {
    this.#perUser = perUser;
    for (const [user, line] of this.#lines) {
      this.#giveTurn(user, line);
    }
  }

  /**
   * Something of this user is under way from now on, without having waited, where nothing else waits that may be sent;
   * `finished` ends that. @returns false where it has to wait
   */
  begin(user: string): boolean {
    const line = this.#lines.get(user);
    if (this.hasNext || (line !== undefined && line.underWay >= this.#perUser)) {
      return false;
    }
    if (line === undefined) {
      this.#lines.set(user, { waiting: [], underWay: 1 });
    } else {
      line.underWay++;
    }
    return true;
  }

  /** @throws FospError `too-many`, `unavailable` */
  add(entry: Entry): void {
    const { waitingPerUser, waiting, waitingBytes } = this.#limits;
    const line = this.#lines.get(entry.user) ?? { waiting: [], underWay: 0 };
    if (line.waiting.length >= waitingPerUser) {
      throw fospError('too-many', 'Too many of your requests wait for this domain. Try again later.', {
        headers: RETRY,
      });
    }
    if (this.#size >= waiting || this.#bytes + entry.bytes > waitingBytes) {
      throw fospError('unavailable', 'Too many requests wait for this domain. Try again later.', { headers: RETRY });
    }
    this.#lines.set(entry.user, line);
    line.waiting.push(entry);
    this.#size++;
    this.#bytes += entry.bytes;
    this.#giveTurn(entry.user, line);
  }

  /** What is to be sent next, which is under way then; `finished` ends that. */
  next(): Entry | undefined {
    const [user] = this.#turns;
    const line = user === undefined ? undefined : this.#lines.get(user);
    const entry = line?.waiting.shift();
    if (user === undefined || line === undefined || entry === undefined) {
      return undefined;
    }
    this.#turns.delete(user);
    line.underWay++;
    this.#left(entry);
    this.#giveTurn(user, line);
    return entry;
  }

  finished(user: string): void {
    const line = this.#lines.get(user);
    if (line !== undefined) {
      line.underWay--;
      if (line.waiting.length > 0) {
        this.#giveTurn(user, line);
      } else {
        this.#forgetIfEmpty(user, line);
      }
    }
  }

  /** Takes out what waits; false where it does not any more. */
  remove(entry: Entry): boolean {
    const line = this.#lines.get(entry.user);
    const at = line?.waiting.indexOf(entry) ?? -1;
    if (line === undefined || at < 0) {
      return false;
    }
    line.waiting.splice(at, 1);
    this.#left(entry);
    if (line.waiting.length === 0) {
      this.#turns.delete(entry.user);
      this.#forgetIfEmpty(entry.user, line);
    }
    return true;
  }

  /** Takes out all that waits. */
  clear(): Entry[] {
    const entries: Entry[] = [];
    for (const [user, line] of this.#lines) {
      for (const entry of line.waiting.splice(0)) {
        this.#left(entry);
        entries.push(entry);
      }
      this.#forgetIfEmpty(user, line);
    }
    this.#turns.clear();
    return entries;
  }

  #left({ bytes }: Entry): void {
    this.#size--;
    this.#bytes -= bytes;
  }

  #giveTurn(user: string, line: Line<Entry>): void {
    if (line.waiting.length > 0 && line.underWay < this.#perUser) {
      this.#turns.add(user);
    } else {
      this.#turns.delete(user);
    }
  }

  #forgetIfEmpty(user: string, line: Line<Entry>): void {
    if (line.waiting.length === 0 && line.underWay === 0) {
      this.#lines.delete(user);
    }
  }
}

const RETRY = { 'Retry-After': '1' };
