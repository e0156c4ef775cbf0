/**
 * Calls over a transport: fields as headers, errors as replies, a deadline on each.
 *
 * Invariant: whatever a handler throws, its caller gets a `FospError`, and only texts made for clients cross the bus; an
 * unexpected error stays in the log of the process where it happened, under an id that the caller is told.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type FospError, fospError, isFospError } from '@fosp/protocol';
import { activeRequest, activeSpan, asSpan, type Span, traced, within } from '@fosp/runtime';
import type { Answer, Call, CompleteBusOptions, Reply } from './bus-options.ts';
import { errorCodeOf, errorOfReply, noAnswer, replyOfError } from './call-errors.ts';
import type { CallMeter } from './call-meters.ts';
import { beginServing, callOf } from './call-spans.ts';
import type { CallType } from './calls.ts';
import {
  type BusErrorCode,
  type BusHeaders,
  type BusMessage,
  type BusSubscription,
  type CallContext,
  type CallHandler,
  isBusError,
  type ServeOptions,
  type Transport,
} from './transport.ts';

const NO_BYTES = new Uint8Array(0);
const ABSENT: ReadonlySet<BusErrorCode> = new Set(['no-responders']);
const ABSENT_OR_BUSY: ReadonlySet<BusErrorCode> = new Set(['no-responders', 'overloaded']);

/** What is asked, by whoever wants to know until when. */
export interface Asked<Q> {
  readonly fields: Q;
  readonly body?: Uint8Array | undefined;
  readonly context?: Partial<CallContext> | undefined;
}

interface Whom {
  readonly subject: string;
  readonly meter: CallMeter;
}

export class Calling {
  readonly #transport: Transport;
  readonly #options: CompleteBusOptions;

  constructor(transport: Transport, options: CompleteBusOptions) {
    this.#transport = transport;
    this.#options = options;
  }

  /** A read that nobody answered, long before its deadline, is asked once more. */
  async call<Q, R>(type: CallType<Q, R>, asked: Asked<Q>): Promise<Reply<R>> {
    const { subject } = type;
    const context = this.#complete(type, asked);
    const meter = this.#options.meters.asked(subject);
    const since = meter.begin();
    let message: BusMessage;
    try {
      message = await this.#ask(subject, asked, context);
      meter.answered(since, message);
    } catch (error) {
      meter.failed(since, error);
      if (type.retry !== 'read' || !this.#mayAskAgain(error, context)) {
        throw this.#notAnswered(error, subject, context.requestId);
      }
      message = await this.#askAgain({ subject, meter }, asked, context);
    }
    return replyIn(message);
  }

  /** Of whoever has that subject; where nobody has, or is too busy, of anybody who serves the type. */
  async callNear<Q, R>(type: CallType<Q, R>, subject: string, asked: Asked<Q>): Promise<Reply<R>> {
    const context = this.#complete(type, asked);
    const meter = this.#options.meters.asked(type.subject);
    const near = await this.#askUnless<Q, R>({ subject, meter, reasons: ABSENT_OR_BUSY }, asked, context);
    return near ?? this.call(type, { ...asked, context });
  }

  /** `undefined` where nobody serves the subject. */
  callAt<Q, R>(type: CallType<Q, R>, subject: string, asked: Asked<Q>): Promise<Reply<R> | undefined> {
    const meter = this.#options.meters.asked(type.subject);
    return this.#askUnless<Q, R>({ subject, meter, reasons: ABSENT }, asked, this.#complete(type, asked));
  }

  /** Takes calls of a type at `subject`, which is its own or that of a place. */
  serve<Q, R>(
    { type, subject }: { readonly type: CallType<Q, R>; readonly subject: string },
    handler: (call: Call<Q>) => Promise<Answer<R>>,
    options: ServeOptions,
  ): Promise<BusSubscription> {
    const meter = this.#options.meters.served(type.subject);
    const answer = async (message: BusMessage, context: CallContext, span: Span | undefined): Promise<BusMessage> => {
      const since = meter.begin();
      let reply: BusMessage;
      try {
        const result = await handler({ fields: fromHeaders<Q>(message.headers), body: message.body, context });
        reply = { headers: asHeaders(result.fields), body: result.body ?? NO_BYTES };
      } catch (error) {
        span?.failed(error);
        reply = replyOfError(isFospError(error) ? error : this.#unexpected(error, subject, context.requestId));
      }
      meter.answered(since, reply);
      return reply;
    };
    const { tracer } = this.#options;
    if (type.quick && tracer === undefined) {
      return this.#transport.serve(subject, (message, context) => answer(message, context, undefined), options);
    }
    const served: CallHandler = (message, context) => {
      const { requestId, trace } = context;
      const span = trace === undefined ? undefined : beginServing(tracer, type.subject, trace);
      if (span !== undefined) {
        return asSpan({ requestId, span }, () => answer(message, context, span));
      }
      return within(type.quick ? undefined : { requestId, span }, () => answer(message, context, span));
    };
    return this.#transport.serve(subject, served, options);
  }

  #complete<Q, R>(type: CallType<Q, R>, { context }: Asked<Q>): CallContext {
    const latest = this.#options.clock() + type.timeout;
    const deadline = context?.deadline;
    return {
      deadline: deadline === undefined || deadline > latest ? latest : deadline,
      requestId: context?.requestId ?? activeRequest() ?? this.#options.newId(),
      trace: context?.trace,
    };
  }

  /** `undefined` where the bus refuses for one of these reasons, of all of which nothing was done. */
  #askUnless<Q, R>(
    { subject, meter, reasons }: Whom & { readonly reasons: ReadonlySet<BusErrorCode> },
    asked: Asked<Q>,
    context: CallContext,
  ): Promise<Reply<R> | undefined> {
    const since = meter.begin();
    const answered = (message: BusMessage): Reply<R> => {
      meter.answered(since, message);
      return replyIn(message);
    };
    return this.#ask(subject, asked, context).then(answered, (error: unknown) => {
      meter.failed(since, error, reasons);
      if (isBusError(error) && reasons.has(error.code)) {
        return undefined;
      }
      throw this.#notAnswered(error, subject, context.requestId);
    });
  }

  #ask<Q>(subject: string, { fields, body }: Asked<Q>, context: CallContext): Promise<BusMessage> {
    const message = { headers: asHeaders(fields), body: body ?? NO_BYTES };
    if (this.#options.tracer === undefined || activeSpan() === undefined) {
      return this.#transport.request(subject, message, context);
    }
    return traced(callOf(subject), async (span) => {
      const answer = await this.#transport.request(subject, message, { ...context, trace: span?.context });
      const code = errorCodeOf(answer);
      if (code !== undefined) {
        span?.failed(errorOfReply(answer, code));
      }
      return answer;
    });
  }

  /** Nobody was there, or whoever was is there no more, and there is time left. */
  #mayAskAgain(error: unknown, { deadline }: CallContext): boolean {
    const { clock } = this.#options;
    return isBusError(error) && (error.code === 'no-responders' || (error.code === 'deadline' && clock() < deadline));
  }

  async #askAgain<Q>({ subject, meter }: Whom, asked: Asked<Q>, context: CallContext): Promise<BusMessage> {
    const left = context.deadline - this.#options.clock();
    await pause(Math.max(0, Math.min(this.#options.readRetryPause, left)));
    const since = meter.begin();
    try {
      const message = await this.#ask(subject, asked, context);
      meter.answered(since, message);
      return message;
    } catch (error) {
      meter.failed(since, error);
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

function replyIn<R>(message: BusMessage): Reply<R> {
  const code = errorCodeOf(message);
  if (code !== undefined) {
    throw errorOfReply(message, code);
  }
  return { fields: fromHeaders<R>(message.headers), body: message.body };
}

/** The tables' types are the only promise about what headers hold: the other end is built from the same tables. */
export function fromHeaders<Fields>(headers: BusHeaders): Fields {
  return headers as Fields;
}

function asHeaders<Fields>(fields: Fields): BusHeaders {
  return fields as BusHeaders;
}
