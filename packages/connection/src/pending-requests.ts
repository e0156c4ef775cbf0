/**
 * The requests of one peer that wait for responses. Bounded; each is resolved or rejected exactly once, at the latest by its
 * deadline or the end of the connection.
 *
 * They stand in places, each where its sequence number says, modulo the number of places; so a number whose place is taken is
 * left out. No `Map` does that as cheaply: one with much coming and going is laid out anew again and again, and the layouts it
 * had, once they are old, keep each other and the requests in them alive until the collector of garbage looks at old objects too.
 */
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

type Places = (PendingRequest | undefined)[];

/** Most peers never ask anything. */
const NO_PLACES: Places = [];
/** A power of two, as all numbers of places. */
const FIRST_PLACES = 16;

export class PendingRequests implements Timed {
  slot = -1;
  readonly #timers: TimerWheel;
  readonly #most: number;
  #places = NO_PLACES;
  #size = 0;
  #sequence = 0;

  constructor(timers: TimerWheel, most: number) {
    this.#timers = timers;
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  /** Why no further request may be made now. */
  refusal(): FospError | undefined {
    return this.#size < this.#most
      ? undefined
      : fospError(
          'too-many',
          `${this.#most} requests of this connection wait for their responses. Wait for one of them.`,
        );
  }

  /** Of the next request that is added. */
  nextSequence(): number {
    // Half of the places are free, so one that is free is near.
    if (this.#size * 2 >= this.#places.length) {
      this.#grow();
    }
    do {
      this.#sequence++;
    } while (this.#at(this.#sequence) !== undefined);
    return this.#sequence;
  }

  add(request: PendingRequest): void {
    this.#places[request.sequence % this.#places.length] = request;
    this.#size++;
  }

  /** From now on the response has its time. */
  startTimeout(request: PendingRequest): void {
    this.#timers.schedule(this, this.#timers.time + request.timeoutMs);
    request.deadline = this.#timers.time + request.timeoutMs;
  }

  /** The request that this response answers; it does not wait any more. */
  take(head: ResponseHead): PendingRequest | undefined {
    return this.#remove(head.sequence);
  }

  reject(sequence: number, error: unknown): void {
    this.#remove(sequence)?.reject(error);
  }

  rejectAll(error: FospError): void {
    const requests = this.#places.filter((request) => request !== undefined);
    this.#places = NO_PLACES;
    this.#size = 0;
    this.#timers.cancel(this);
    for (const request of requests) {
      request.reject(error);
    }
  }

  wake(now: number): void {
    let next = Number.POSITIVE_INFINITY;
    for (const request of this.#places) {
      if (request !== undefined && request.deadline <= now) {
        const seconds = request.timeoutMs / 1000;
        this.reject(request.sequence, fospError('timeout', `No response within ${seconds} seconds.`));
      } else if (request !== undefined) {
        next = Math.min(next, request.deadline);
      }
    }
    if (next !== Number.POSITIVE_INFINITY) {
      this.#timers.schedule(this, next);
    }
  }

  #at(sequence: number): PendingRequest | undefined {
    return this.#places[sequence % this.#places.length];
  }

  #remove(sequence: number): PendingRequest | undefined {
    const request = this.#at(sequence);
    if (request?.sequence !== sequence) {
      return undefined;
    }
    this.#places[sequence % this.#places.length] = undefined;
    this.#size--;
    return request;
  }

  /** Twice as many places: where two did not share one, they do not now. */
  #grow(): void {
    const requests = this.#places;
    this.#places = new Array(Math.max(FIRST_PLACES, 2 * requests.length)).fill(undefined);
    for (const request of requests) {
      if (request !== undefined) {
        this.#places[request.sequence % this.#places.length] = request;
      }
    }
  }
}
