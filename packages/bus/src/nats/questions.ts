/**
 * Messages that are answered: one inbox for all of them, one timer for all deadlines.
 *
 * Invariant: a question ends once: with its answer, with `no-responders`, or with `deadline`: in time; at once where the
 * link broke, since its answer is most likely lost and whether it was heard is not known; and where `silence` is given,
 * after so long without a word, since whoever takes longer than that to answer says so (see `call-server.ts`).
 */
import { createInbox, type Msg } from '@nats-io/transport-node';
import { Deadlines, type Watched } from '../deadlines.ts';
import { BusError, type BusErrorCode } from '../transport.ts';
import { isNoResponders, isNote } from './headers.ts';
import type { Link } from './link.ts';

/** Of the longest silence: being so much later to see that it is over is a matter of our own. */
const STANDSTILL = 1.5;

export interface Question {
  readonly subject: string;
  /** See `encodeHeaders`. */
  readonly headers: Uint8Array;
  readonly body: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  /** Milliseconds without a word from whoever took it, after which it counts as lost; waits for the deadline without. */
  readonly silence?: number;
}

interface Pending {
  readonly subject: string;
  readonly deadline: number;
  readonly silence: number;
  /** When it was asked, or whoever took it was heard of last. */
  heardAt: number;
  readonly answered: PromiseWithResolvers<Msg>;
  watched: Watched | undefined;
}

export class Questions {
  readonly #link: Link;
  readonly #inbox = createInbox();
  readonly #pending = new Map<string, Pending>();
  readonly #deadlines: Deadlines;
  readonly #clock: () => number;
  #count = 0;

  constructor(link: Link, clock: () => number, deadlineTick: number) {
    this.#link = link;
    this.#clock = clock;
    this.#deadlines = new Deadlines(clock, deadlineTick);
    link.connection.subscribe(`${this.#inbox}.*`, { callback: (error, message) => this.#take(error, message) });
    link.onLost((reason) => this.#failAll(reason));
  }

  /** Rejects with `no-responders` or `deadline`; with `closed` or `too-large` where nothing was sent. */
  ask(question: Question): Promise<Msg> {
    const { subject, headers, body, deadline, silence = Number.POSITIVE_INFINITY } = question;
    const token = (++this.#count).toString(36);
    const answered = Promise.withResolvers<Msg>();
    const pending: Pending = { subject, deadline, silence, heardAt: this.#clock(), answered, watched: undefined };
    try {
      this.#link.publish(subject, body, { headers, reply: `${this.#inbox}.${token}` });
    } catch (error) {
      return Promise.reject(error);
    }
    this.#pending.set(token, pending);
    this.#watch(token, pending);
    return answered.promise;
  }

  #watch(token: string, pending: Pending): void {
    const { deadline, heardAt, silence } = pending;
    const next = Math.min(deadline, heardAt + silence);
    pending.watched = this.#deadlines.watch(next, () => this.#passed(token, pending));
  }

  #passed(token: string, pending: Pending): void {
    const { subject, deadline, heardAt, silence } = pending;
    const now = this.#clock();
    if (now >= deadline) {
      this.#fail(token, pending, 'deadline', `${subject} did not answer in time`);
    } else if (now > heardAt + silence * STANDSTILL) {
      // This process stood still and read nothing: that it heard nothing says nothing.
      pending.heardAt = now;
      this.#watch(token, pending);
    } else if (now >= heardAt + silence) {
      this.#fail(token, pending, 'deadline', `Whoever took ${subject} was not heard of for ${now - heardAt} ms`);
    } else {
      this.#watch(token, pending);
    }
  }

  #take(error: Error | null, message: Msg): void {
    const token = error === null ? message.subject.slice(this.#inbox.length + 1) : '';
    const pending = this.#pending.get(token);
    if (pending === undefined) {
      return;
    }
    if (isNote(message)) {
      pending.heardAt = this.#clock();
      return;
    }
    if (isNoResponders(message)) {
      this.#fail(token, pending, 'no-responders', `Nobody serves ${pending.subject}`);
      return;
    }
    this.#end(token, pending);
    pending.answered.resolve(message);
  }

  #failAll(reason: string): void {
    for (const [token, pending] of this.#pending) {
      this.#fail(token, pending, 'deadline', `${reason} before ${pending.subject} answered`);
    }
  }

  #fail(token: string, pending: Pending, code: BusErrorCode, text: string): void {
    this.#end(token, pending);
    pending.answered.reject(new BusError(code, text));
  }

  #end(token: string, pending: Pending): void {
    this.#pending.delete(token);
    if (pending.watched !== undefined) {
      this.#deadlines.forget(pending.watched);
    }
  }
}
