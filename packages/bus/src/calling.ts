/**
 * Calls over a transport: fields as headers, errors as replies, a deadline on each.
 *
 * Invariant: whatever a handler throws, its caller gets a `FospError`, and only texts made for clients cross the bus; an
 * unexpected error stays in the log of the process where it happened, under an id that the caller is told.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type FospError, fospError, isFospError } from '@fosp/protocol';
import type { Answer, Call, CompleteBusOptions, Reply } from './bus.ts';
import { errorOfReply, isErrorReply, noAnswer, replyOfError } from './call-errors.ts';
import type { CallType } from './calls.ts';
import {
  BusError,
  type BusHeaders,
  type BusMessage,
  type BusSubscription,
  type CallContext,
  isBusError,
  type ServeOptions,
  type Transport,
} from './transport.ts';

const NO_BYTES = new Uint8Array(0);

/** What is asked, by whoever wants to know until when. */
export interface Asked<Q> {
  readonly fields: Q;
  readonly body?: Uint8Array | undefined;
  readonly context?: Partial<CallContext> | undefined;
}

export class Calling {
  readonly #transport: Transport;
  readonly #options: CompleteBusOptions;

  constructor(transport: Transport, options: CompleteBusOptions) {
    this.#transport = transport;
    this.#options = options;
  }

  /** Where nobody serves the subject, a read is asked once more. */
  async call<Q, R>(type: CallType<Q, R>, asked: Asked<Q>): Promise<Reply<R>> {
    const { subject } = type;
    const context = this.#complete(type, asked);
    const reply =
      (await this.#ask<Q, R>(subject, asked, context)) ??
      (type.retry === 'read' ? await this.#askAgain<Q, R>(subject, asked, context) : undefined);
    if (reply === undefined) {
      throw this.#notAnswered(new BusError('no-responders', `Nobody serves ${subject}`), subject, context.requestId);
    }
    return reply;
  }

  /** `undefined` where nobody serves the subject. */
  callAt<Q, R>(type: CallType<Q, R>, subject: string, asked: Asked<Q>): Promise<Reply<R> | undefined> {
    return this.#ask(subject, asked, this.#complete(type, asked));
  }

  serve<Q, R>(
    subject: string,
    handler: (call: Call<Q>) => Promise<Answer<R>>,
    options: ServeOptions,
  ): Promise<BusSubscription> {
    const answer = async (message: BusMessage, context: CallContext): Promise<BusMessage> => {
      try {
        const result = await handler({ fields: fromHeaders<Q>(message.headers), body: message.body, context });
        return { headers: asHeaders(result.fields), body: result.body ?? NO_BYTES };
      } catch (error) {
        return replyOfError(isFospError(error) ? error : this.#unexpected(error, subject, context.requestId));
      }
    };
    return this.#transport.serve(subject, answer, options);
  }

  #complete<Q, R>(type: CallType<Q, R>, { context }: Asked<Q>): CallContext {
    const latest = this.#options.clock() + type.timeout;
    const deadline = context?.deadline;
    return {
      deadline: deadline === undefined || deadline > latest ? latest : deadline,
      requestId: context?.requestId ?? this.#options.newId(),
    };
  }

  async #ask<Q, R>(subject: string, asked: Asked<Q>, context: CallContext): Promise<Reply<R> | undefined> {
    let reply: BusMessage;
    try {
      const message = { headers: asHeaders(asked.fields), body: asked.body ?? NO_BYTES };
      reply = await this.#transport.request(subject, message, context);
    } catch (error) {
      if (isBusError(error) && error.code === 'no-responders') {
        return undefined;
      }
      throw this.#notAnswered(error, subject, context.requestId);
    }
    if (isErrorReply(reply)) {
      throw errorOfReply(reply);
    }
    return { fields: fromHeaders<R>(reply.headers), body: reply.body };
  }

  async #askAgain<Q, R>(subject: string, asked: Asked<Q>, context: CallContext): Promise<Reply<R> | undefined> {
    const left = context.deadline - this.#options.clock();
    await pause(Math.max(0, Math.min(this.#options.readRetryPause, left)));
    return this.#ask(subject, asked, context);
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

/** The tables' types are the only promise about what headers hold: the other end is built from the same tables. */
export function fromHeaders<Fields>(headers: BusHeaders): Fields {
  return headers as Fields;
}

function asHeaders<Fields>(fields: Fields): BusHeaders {
  return fields as BusHeaders;
}
