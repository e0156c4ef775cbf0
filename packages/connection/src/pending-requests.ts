import { type FospError, fospError, type ResponseHead } from '@fosp/protocol';
import type { Timed, TimerWheel } from './timer-wheel.ts';
import type { PeerResponse } from './types.ts';

/** A request of our own that waits for its response. */
export interface PendingRequest {
  readonly sequence: number;
  /** Whether the body of a successful response is wanted as a stream. */
  readonly stream: boolean;
  /** Largest body of the response. */
  readonly responseBytes: number;
  readonly timeoutMs: number;
  resolve(response: PeerResponse): void;
  reject(error: unknown): void;
  /** Clock time of its end; endless while its own body is being sent. */
  deadline: number;
}

/**
 * The requests of one peer that wait for responses, by sequence number. Bounded; each is resolved or rejected exactly once,
 * at the latest by its deadline or the end of the connection.
 */
export class PendingRequests implements Timed {
  slot = -1;
  readonly #timers: TimerWheel;
  readonly #most: number;
  readonly #bySequence = new Map<number, PendingRequest>();
  #sequence = 0;

  constructor(timers: TimerWheel, most: number) {
    this.#timers = timers;
    this.#most = most;
  }

  get size(): number {
    return this.#bySequence.size;
  }

  /** Why no further request may be made now. */
  refusal(): FospError | undefined {
    return this.#bySequence.size < this.#most
      ? undefined
      : fospError(
          'too-many',
          `${this.#most} requests of this connection wait for their responses. Wait for one of them.`,
        );
  }

  nextSequence(): number {
    this.#sequence++;
    return this.#sequence;
  }

  add(request: PendingRequest): void {
    this.#bySequence.set(request.sequence, request);
  }

  /** From now on the response has its time. */
  startTimeout(request: PendingRequest): void {
    this.#timers.schedule(this, this.#timers.time + request.timeoutMs);
    request.deadline = this.#timers.time + request.timeoutMs;
  }

  /** The request that this response answers; it does not wait any more. */
  take(head: ResponseHead): PendingRequest | undefined {
    const request = this.#bySequence.get(head.sequence);
    if (request !== undefined) {
      this.#bySequence.delete(head.sequence);
    }
    return request;
  }

  reject(sequence: number, error: unknown): void {
    const request = this.#bySequence.get(sequence);
    this.#bySequence.delete(sequence);
    request?.reject(error);
  }

  rejectAll(error: FospError): void {
    const requests = [...this.#bySequence.values()];
    this.#bySequence.clear();
    this.#timers.cancel(this);
    for (const request of requests) {
      request.reject(error);
    }
  }

  wake(now: number): void {
    let next = Number.POSITIVE_INFINITY;
    for (const request of this.#bySequence.values()) {
      if (request.deadline <= now) {
        const seconds = request.timeoutMs / 1000;
        this.reject(request.sequence, fospError('timeout', `No response within ${seconds} seconds.`));
      } else {
        next = Math.min(next, request.deadline);
      }
    }
    if (next !== Number.POSITIVE_INFINITY) {
      this.#timers.schedule(this, next);
    }
  }
}
