/**
 * The memory that messages in transit may take, for all connections of a process together (PROTOCOL §1).
 *
 * What is counted: what has arrived of messages that are not complete, requests until they are answered, what has arrived
 * of bodies that stream until it is taken, and input kept while a connection is paused. Counted apart, under a limit of the same
 * size: what waits for clients that do not read.
 *
 * From three quarters of the limit on, a connection in the middle of a buffered message has to wait: its socket is paused,
 * and resumed in order of arrival as bytes are freed. One of those that wait has the turn and may go on all the same, up to
 * the limit, so that many half messages can never block each other: it completes, or is closed for its slowness, and then
 * the next one has the turn. Requests small enough to need no waiting are served all the while: at the limit itself whoever
 * came last of those that wait is closed (1013) to make room, or, when nobody waits, whoever needs more.
 *
 * Invariant: `used` is the sum of what was taken and not given back, and never above the limit.
 */

/** What one read of a socket may bring: a connection that is told to go on is expected to take so much. */
const GRANT_BYTES = 64 * 1024;

/** A connection that waits. */
export interface BudgetMember {
  goOn(): void;
  /** Gives everything back at once: the connection is to close. */
  giveUp(): void;
}

export class TransferBudget {
  readonly limit: number;
  readonly #mark: number;
  #used = 0;
  #backlog = 0;
  #turn: BudgetMember | undefined;
  readonly #queue = new Set<BudgetMember>();
  /** Told to go on, but did not yet take anything. */
  readonly #granted = new Set<BudgetMember>();

  constructor(limitBytes: number) {
    this.limit = limitBytes;
    this.#mark = Math.floor((limitBytes * 3) / 4);
  }

  /** Bytes reserved for what comes in. */
  get used(): number {
    return this.#used;
  }

  /** Bytes that wait for clients which do not read. */
  get backlog(): number {
    return this.#backlog;
  }

  /** Connections that wait for bytes to be freed. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Whether large messages have to wait. */
  get isCrowded(): boolean {
    return this.#used > this.#mark;
  }

  /** @returns false, and nothing is taken, when there is not so much left */
  take(bytes: number): boolean {
    while (this.#used + bytes > this.limit && this.#queue.size > 0) {
      const last = [...this.#queue].at(-1);
      if (last !== undefined) {
        this.#queue.delete(last);
        last.giveUp();
      }
    }
    if (this.#used + bytes > this.limit) {
      return false;
    }
    this.#used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#used -= bytes;
    if (this.#queue.size > 0) {
      this.#next();
    }
  }

  /** To be asked whenever a buffered message has grown. True: wait until `goOn` is called. */
  mustWait(member: BudgetMember): boolean {
    if (this.#granted.size > 0) {
      this.#granted.delete(member);
    }
    if (!this.isCrowded || this.#turn === member) {
      return false;
    }
    if (this.#turn === undefined) {
      this.#turn = member;
      return false;
    }
    this.#queue.add(member);
    return true;
  }

  /** The member's message is complete or given up. */
  leave(member: BudgetMember): void {
    this.#queue.delete(member);
    this.#granted.delete(member);
    if (this.#turn === member) {
      this.#turn = undefined;
    }
    this.#next();
  }

  /** Counts what waits to be sent. @returns false when all of it together is over the limit */
  addBacklog(bytes: number): boolean {
    this.#backlog += bytes;
    return this.#backlog <= this.limit;
  }

  #next(): void {
    for (const member of this.#queue) {
      const fits = this.#used + (this.#granted.size + 1) * GRANT_BYTES <= this.#mark;
      if (!fits && this.#turn !== undefined) {
        return;
      }
      this.#queue.delete(member);
      if (fits) {
        this.#granted.add(member);
      } else {
        this.#turn = member;
      }
      member.goOn();
    }
  }
}
