/**
 * Messages that are answered: one inbox for all of them, one timer for all deadlines.
 *
 * Invariant: a question ends once: with its answer, with `no-responders`, or with `deadline`: in time, or at once where
 * the link broke, since its answer is most likely lost and whether it was heard is not known.
 */
import { createInbox, type Msg, type MsgHdrs } from '@nats-io/transport-node';
import { Deadlines, type Watched } from '../deadlines.ts';
import { BusError, type BusErrorCode } from '../transport.ts';
import { isNoResponders } from './headers.ts';
import type { Link } from './link.ts';

export interface Question {
  readonly subject: string;
  readonly headers: MsgHdrs;
  readonly body: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
}

interface Pending {
  readonly subject: string;
  readonly answered: PromiseWithResolvers<Msg>;
  watched: Watched | undefined;
}

export class Questions {
  readonly #link: Link;
  readonly #inbox = createInbox();
  readonly #pending = new Map<string, Pending>();
  readonly #deadlines: Deadlines;
  #count = 0;

  constructor(link: Link, clock: () => number, deadlineTick: number) {
    this.#link = link;
    this.#deadlines = new Deadlines(clock, deadlineTick);
    link.connection.subscribe(`${this.#inbox}.*`, { callback: (error, message) => this.#take(error, message) });
    link.onLost((reason) => this.#failAll(reason));
  }

  /** Rejects with `no-responders` or `deadline`; with `closed` or `too-large` where nothing was sent. */
  ask(question: Question): Promise<Msg> {
    const { subject, headers, body, deadline } = question;
    const token = (++this.#count).toString(36);
    const pending: Pending = { subject, answered: Promise.withResolvers<Msg>(), watched: undefined };
    try {
      this.#link.publish(subject, body, { headers, reply: `${this.#inbox}.${token}` });
    } catch (error) {
      return Promise.reject(error);
    }
    this.#pending.set(token, pending);
    pending.watched = this.#deadlines.watch(deadline, () => {
      this.#fail(token, pending, 'deadline', `${subject} did not answer in time`);
    });
    return pending.answered.promise;
  }

  #take(error: Error | null, message: Msg): void {
    const token = error === null ? message.subject.slice(this.#inbox.length + 1) : '';
    const pending = this.#pending.get(token);
    if (pending === undefined) {
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
