/**
 * Calls and events between services, typed by the tables in `calls.ts` and `events.ts`, over any transport.
 *
 * Invariant: whatever a handler throws, its caller gets a `FospError`, and only texts made for clients cross the bus; an
 * unexpected error stays in the log of the process where it happened, under an id that the caller is told.
 * Lifecycle: one `Bus` per process, on one transport; subscriptions are stopped by whoever made them, in the order in
 * which services stop needing each other, then `drain` ends the rest.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type FospError, fospError, isFospError } from '@fosp/protocol';
import { errorOfReply, isErrorReply, noAnswer, replyOfError } from './call-errors.ts';
import type { CallType } from './calls.ts';
import {
  type Change,
  type ChangeHeaders,
  changesSubject,
  parseChange,
  STREAMS,
  type UserEventHeaders,
  userSubject,
} from './events.ts';
import type { BusHeaders, BusMessage, BusSubscription, CallContext, ServeOptions, Transport } from './transport.ts';
import { isBusError } from './transport.ts';

const NO_BYTES = new Uint8Array(0);

/** What a server is asked: the fields of its `CallType`, the FOSP body's bytes, and until when for whom. */
export interface Call<Fields> {
  readonly fields: Fields;
  readonly body: Uint8Array;
  readonly context: CallContext;
}

/** What a server answers. */
export interface Answer<Fields> {
  readonly fields: Fields;
  readonly body?: Uint8Array;
}

/** What a caller gets. */
export interface Reply<Fields> {
  readonly fields: Fields;
  readonly body: Uint8Array;
}

/** An unexpected error of a handler: for the log, never for the caller, who is told the id alone. */
export interface BusFailure {
  readonly subject: string;
  /** The request's id; of a change, its tree and sequence. */
  readonly id: string;
  readonly error: unknown;
}

export interface BusOptions {
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  /** Ids for calls that are not part of a request which has one. */
  readonly newId?: () => string;
  /** Told of every unexpected error of a handler; process warnings by default. */
  readonly log?: (failure: BusFailure) => void;
  /** Milliseconds before a read that nobody answered, long before its deadline, is asked once more; 100. */
  readonly readRetryPause?: number;
  /** Seconds after which a caller of an absent or overloaded service is told to come back; 1. */
  readonly retryAfter?: number;
}

export class Bus {
  readonly #transport: Transport;
  readonly #options: Required<BusOptions>;

  constructor(transport: Transport, options: BusOptions = {}) {
    this.#transport = transport;
    this.#options = {
      clock: options.clock ?? Date.now,
      newId: options.newId ?? sequentialIds(),
      log: options.log ?? warn,
      readRetryPause: options.readRetryPause ?? 100,
      retryAfter: options.retryAfter ?? 1,
    };
  }

  /**
   * Asks one server. The deadline is the context's or the call type's own, whichever comes first. Rejects with
   * `FospError`: the server's own, `timeout` past the deadline, or `unavailable` with `Retry-After` where nobody serves
   * the subject or all who do are at their concurrency.
   */
  async call<Q, R>(
    type: CallType<Q, R>,
    fields: Q,
    body: Uint8Array = NO_BYTES,
    context?: Partial<CallContext>,
  ): Promise<Reply<R>> {
    const latest = this.#options.clock() + type.timeout;
    const deadline = context?.deadline;
    const complete: CallContext = {
      deadline: deadline === undefined || deadline > latest ? latest : deadline,
      requestId: context?.requestId ?? this.#options.newId(),
    };
    const message = { headers: asHeaders(fields), body };
    let reply: BusMessage;
    try {
      reply = await this.#transport.request(type.subject, message, complete);
    } catch (error) {
      if (type.retry !== 'read' || !this.#mayAskAgain(error, complete)) {
        throw this.#notAnswered(error, type.subject, complete.requestId);
      }
      reply = await this.#askAgain(type.subject, message, complete);
    }
    if (isErrorReply(reply)) {
      throw errorOfReply(reply);
    }
    return { fields: fromHeaders<R>(reply.headers), body: reply.body };
  }

  /** Answers calls of a type, at most `concurrency` at once. Resolves once calls arrive. */
  serve<Q, R>(
    type: CallType<Q, R>,
    handler: (call: Call<Q>) => Promise<Answer<R>>,
    options: ServeOptions,
  ): Promise<BusSubscription> {
    const answer = async (message: BusMessage, context: CallContext): Promise<BusMessage> => {
      try {
        const result = await handler({ fields: fromHeaders<Q>(message.headers), body: message.body, context });
        return { headers: asHeaders(result.fields), body: result.body ?? NO_BYTES };
      } catch (error) {
        return replyOfError(isFospError(error) ? error : this.#unexpected(error, type.subject, context.requestId));
      }
    };
    return this.#transport.serve(type.subject, answer, options);
  }

  /** Tells all sessions of a user, wherever they are, at most once and in order. */
  publishToUser(user: string, headers: UserEventHeaders, body: Uint8Array = NO_BYTES): void {
    this.#transport.publish(userSubject(user), { headers, body });
  }

  /** Listens for what a user's sessions are told. Resolves once nothing that is published later is missed. */
  onUser(user: string, listener: (headers: UserEventHeaders, body: Uint8Array) => void): Promise<BusSubscription> {
    return this.#transport.subscribe(userSubject(user), (message, subject) => {
      try {
        listener(fromHeaders<UserEventHeaders>(message.headers), message.body);
      } catch (error) {
        this.#options.log({ subject, id: user, error });
      }
    });
  }

  /**
   * Adds a change to the stream `changes`; a repeated `sequence` of a tree counts once. `body` is the JSON of a
   * `ChangeEvent`. Resolves once kept, or handled: from then on, and no earlier, the outbox row may go (see `Transport`).
   */
  appendChange(headers: ChangeHeaders, body: Uint8Array): Promise<void> {
    return this.#transport.append(STREAMS.changes, changesSubject(headers.tree), {
      headers,
      body,
      id: changeId(headers),
    });
  }

  /**
   * Takes the changes of one partition (0 … `CHANGE_PARTITIONS` - 1): those of a tree in order, one at a time; a handler
   * that rejects gets the same change again after a pause. At least once, by one process among all with this `consumer`.
   */
  consumeChanges(
    partition: number,
    consumer: string,
    handler: (change: Change) => Promise<void>,
  ): Promise<BusSubscription> {
    const subject = `${STREAMS.changes}.${partition}`;
    return this.#transport.consume(STREAMS.changes, {
      consumer,
      subject,
      key: (message) => message.headers['tree'] ?? '',
      handler: async (message) => {
        try {
          await handler(parseChange(message));
        } catch (error) {
          this.#options.log({ subject, id: changeId(fromHeaders<ChangeHeaders>(message.headers)), error });
          throw error;
        }
      },
    });
  }

  /** Called when messages to users may have been missed: whoever holds sessions closes them. */
  onGap(listener: (reason: string) => void): void {
    this.#transport.onGap(listener);
  }

  /** Takes nothing more, lets running handlers end, and closes the transport. */
  drain(): Promise<void> {
    return this.#transport.drain();
  }

  /** Nobody was there, or whoever was is there no more, and there is time left. */
  #mayAskAgain(error: unknown, { deadline }: CallContext): boolean {
    const { clock } = this.#options;
    return isBusError(error) && (error.code === 'no-responders' || (error.code === 'deadline' && clock() < deadline));
  }

  async #askAgain(subject: string, message: BusMessage, context: CallContext): Promise<BusMessage> {
    const left = context.deadline - this.#options.clock();
    try {
      await pause(Math.max(0, Math.min(this.#options.readRetryPause, left)));
      return await this.#transport.request(subject, message, context);
    } catch (error) {
      throw this.#notAnswered(error, subject, context.requestId);
    }
  }

  #notAnswered(error: unknown, subject: string, requestId: string): FospError {
    const known = isBusError(error) ? noAnswer(error, this.#options.retryAfter) : undefined;
    return known ?? this.#unexpected(error, subject, requestId);
  }

  #unexpected(error: unknown, subject: string, requestId: string): FospError {
    this.#options.log({ subject, id: requestId, error });
    return fospError('internal', `Something went wrong here; the server's log has more under ${requestId}`);
  }
}

function changeId(headers: ChangeHeaders): string {
  return `${headers.tree}/${headers.sequence}`;
}

/** The tables' types are the only promise about what headers hold: the other end is built from the same tables. */
function fromHeaders<Fields>(headers: BusHeaders): Fields {
  return headers as Fields;
}

function asHeaders<Fields>(fields: Fields): BusHeaders {
  return fields as BusHeaders;
}

function sequentialIds(): () => string {
  const prefix = randomBytes(6).toString('base64url');
  let count = 0;
  return () => `${prefix}-${(++count).toString(36)}`;
}

function warn(failure: BusFailure): void {
  const reason =
    failure.error instanceof Error ? (failure.error.stack ?? failure.error.message) : String(failure.error);
  process.emitWarning(`${failure.subject} failed for ${failure.id}: ${reason}`);
}
