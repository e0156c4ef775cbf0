/**
 * The requests of one party that are in flight: how many, in which order, and how they are answered.
 *
 * Invariants: each is answered once, and its sequence number is in use until then; at most `limits.requests` are in
 * flight, beyond them nothing is taken in; nor is it while many answers wait to be read, so that a client which pipelines
 * on a slow line is slowed down, not closed.
 */
import type { RespondOptions, RespondStreamOptions } from '@fosp/connection';
import { type FospError, failedBody, fospError, isFospError } from '@fosp/protocol';
import type { Span, Tracer } from '@fosp/runtime';
import type { Backlogged } from './backlogs.ts';
import type { Line } from './line.ts';
import { type Place, RequestOrder } from './order.ts';
import { STATUS_CODE } from './request-spans.ts';

export interface ConversationLimits {
  /** Requests in flight, beyond which nothing is taken in. */
  readonly requests: number;
  /** Bytes waiting to be read by the other end, beyond which nothing is taken in. */
  readonly backlog: number;
}

/** What is told of conversations. */
export interface ConversationTelemetry {
  answered(type: string, status: number, milliseconds: number): void;
  /** A file broke off after its head was sent. */
  transferCut(id: string, error: unknown): void;
  /** A defect; the other end was told the id. */
  unexpected(id: string, error: unknown): void;
  /** A defect of a service that was asked, whose log has more under the same id. */
  failedElsewhere(id: string, type: string): void;
}

/** What all conversations share. */
export interface ConversationParts {
  readonly limits: ConversationLimits;
  readonly telemetry: ConversationTelemetry;
  /** Told of requests, one span each; of none without it. */
  readonly tracer?: Tracer | undefined;
  /** Has `isBacklogged` asked now and then until it says no. */
  readonly watchBacklog: (waiting: Backlogged) => void;
}

/** A request that is to be answered. */
export interface Pending extends Place {
  readonly type: string;
  /** When it came, of `performance.now()`. */
  readonly since: number;
  /** Of the whole request, where it is traced. */
  span: Span | undefined;
}

/** Why nothing is taken in: bits, since several may hold. */
export const HOLD = { login: 1, full: 2, backlog: 4, retiring: 8 } as const;

/** Why connections are closed with 1012. */
export const RESTARTING = 'The server restarts, or may have missed a notification: connect again.';

export class Conversation implements Backlogged {
  /** Names the connection in the log and in `revoked` events. */
  readonly id: string;
  readonly #parts: ConversationParts;
  readonly #line: Line;
  readonly #order = new RequestOrder();
  #held = 0;
  /** Whoever waits for the client to read on. */
  #waiting: (() => void)[] | undefined;

  constructor(id: string, line: Line, parts: ConversationParts) {
    this.id = id;
    this.#line = line;
    this.#parts = parts;
  }

  /** Requests that are not answered. */
  get inFlight(): number {
    return this.#order.size;
  }

  /** Nothing is in flight. */
  get isIdle(): boolean {
    return this.#order.size === 0;
  }

  has(sequence: number): boolean {
    return this.#order.has(sequence);
  }

  /** What logs name a request of this party by. */
  requestId(sequence: number): string {
    return `${this.id}-${sequence}`;
  }

  /** Told of each request that begins; absent where traces are off. */
  get tracer(): Tracer | undefined {
    return this.#parts.tracer;
  }

  /** Takes a request in. True where it may begin at once; else its `begin` is called when its turn comes. */
  enter(request: Pending): boolean {
    const mayBegin = this.#order.enter(request);
    if (this.#order.size >= this.#parts.limits.requests) {
      this.hold(HOLD.full);
    }
    return mayBegin;
  }

  /** Later requests need not wait for this one any more. */
  settle(request: Pending): void {
    this.#order.settle(request);
  }

  answer(request: Pending, status: number, response?: RespondOptions): void {
    this.#line.respond(request.sequence, status, response);
    this.#finish(request, status);
  }

  /**
   * Resolves once all is handed to the socket: true, or false where the connection ended before, as it does by a body that
   * breaks off after its head is sent. Rejects with what broke a body of which nothing is sent: then the request is not answered.
   */
  async answerStream(request: Pending, status: number, response: RespondStreamOptions): Promise<boolean> {
    let isWhole = true;
    try {
      await this.#line.respondStream(request.sequence, status, response);
    } catch (error) {
      if (this.#line.isOpen) {
        throw error;
      }
      isWhole = false;
      // A client that goes away is nothing to tell of.
      if (!isFospError(error) || error.code !== 'unreachable') {
        this.#parts.telemetry.transferCut(this.id, error);
      }
    }
    this.#finish(request, status);
    return isWhole;
  }

  /** Answers FAILED. What is no `FospError` is a defect: the log has it under an id, which is all that the client is told. */
  fail(request: Pending, error: unknown): void {
    const failure = isFospError(error) ? error : this.#unexpected(request, error);
    request.span?.failed(failure);
    if (failure === error && failure.code === 'internal') {
      this.#parts.telemetry.failedElsewhere(this.requestId(request.sequence), request.type);
    }
    this.refuse(request.sequence, failure);
    this.#finish(request, failure.status);
  }

  /** Answers FAILED to what was never taken in. */
  refuse(sequence: number, error: FospError): void {
    this.#line.respond(sequence, error.status, { headers: error.headers, body: failedBody(error) });
  }

  get isRetiring(): boolean {
    return (this.#held & HOLD.retiring) !== 0;
  }

  /** Takes nothing more in, and closes with 1012 once what is in flight is answered. */
  retire(): void {
    this.hold(HOLD.retiring);
    this.#closeIfRetired();
  }

  isBacklogged(): boolean {
    if (this.isBehind) {
      return true;
    }
    this.release(HOLD.backlog);
    this.#wakeWaiting();
    return false;
  }

  /**
   * Resolves once no more than the backlog waits to be read: for answers so large that some more must not be asked for.
   *
   * @throws FospError `unreachable` where the connection is closed
   */
  async caughtUp(): Promise<void> {
    while (this.isBehind) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting ??= [];
      this.#waiting.push(resolve);
      this.#parts.watchBacklog(this);
      await promise;
    }
    this.assertOpen();
  }

  /** @throws FospError `unreachable` where the connection is closed: nobody would learn what became of what begins now */
  assertOpen(): void {
    if (!this.#line.isOpen) {
      throw fospError('unreachable', 'The connection closed.');
    }
  }

  /** The connection is closed. */
  closed(): void {
    this.#wakeWaiting();
  }

  hold(reason: number): void {
    if (this.#held === 0) {
      this.#line.pause();
    }
    this.#held |= reason;
  }

  release(reason: number): void {
    if ((this.#held & reason) !== 0) {
      this.#held &= ~reason;
      if (this.#held === 0) {
        this.#line.resume();
      }
    }
  }

  get isBehind(): boolean {
    return this.#line.isOpen && this.#line.bufferedBytes > this.#parts.limits.backlog;
  }

  #wakeWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const resolve of waiting ?? []) {
      resolve();
    }
  }

  #unexpected(request: Pending, error: unknown): FospError {
    const id = this.requestId(request.sequence);
    this.#parts.telemetry.unexpected(id, error);
    return fospError('internal', `Something went wrong here; the server's log has more under ${id}.`);
  }

  #finish(request: Pending, status: number): void {
    const { limits, telemetry, watchBacklog } = this.#parts;
    this.#order.leave(request);
    telemetry.answered(request.type, status, performance.now() - request.since);
    request.span?.set({ [STATUS_CODE]: status });
    request.span?.end();
    if (this.isBehind) {
      this.hold(HOLD.backlog);
      watchBacklog(this);
    }
    if (this.#held !== 0) {
      if (this.#order.size < limits.requests) {
        this.release(HOLD.full);
      }
      this.#closeIfRetired();
    }
    this.#line.finished?.(request.sequence);
  }

  #closeIfRetired(): void {
    if (this.isRetiring && this.#order.size === 0) {
      this.#line.close(1012, RESTARTING);
    }
  }
}
