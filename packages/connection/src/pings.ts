import { type FospError, fospError } from '@fosp/protocol';
import type { Timed, TimerWheel } from './timer-wheel.ts';

interface SentPing {
  readonly number: number;
  readonly deadline: number;
  resolve(): void;
  reject(error: FospError): void;
}

/**
 * Pings of our own that wait for their pongs, in the order in which they were sent. A pong answers its ping and all before
 * it, since the other side need answer the last one alone (RFC 6455 §5.5.3). Bounded; each ends exactly once, at the latest by
 * its deadline or the end of the connection.
 */
export class Pings implements Timed {
  slot = -1;
  readonly #timers: TimerWheel;
  readonly #most: number;
  readonly #timeoutMs: number;
  readonly #send: (payload: Uint8Array) => void;
  readonly #sent: SentPing[] = [];
  #number = 0;

  constructor(
    timers: TimerWheel,
    bounds: { readonly most: number; readonly timeoutMs: number },
    send: (payload: Uint8Array) => void,
  ) {
    this.#timers = timers;
    this.#most = bounds.most;
    this.#timeoutMs = bounds.timeoutMs;
    this.#send = send;
  }

  ping(): Promise<void> {
    if (this.#sent.length >= this.#most) {
      return Promise.reject(
        fospError('too-many', `${this.#most} pings of this connection wait for an answer. Wait for one of them.`),
      );
    }
    const number = ++this.#number;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#timers.schedule(this, this.#timers.time + this.#timeoutMs);
    this.#sent.push({ number, deadline: this.#timers.time + this.#timeoutMs, resolve, reject });
    this.#send(new TextEncoder().encode(String(number)));
    return promise;
  }

  /** A pong came; one that answers none of these pings, such as the heartbeat's, is none of ours. */
  answered(payload: Uint8Array): void {
    const number = Number(new TextDecoder().decode(payload));
    const last = this.#sent.findIndex((ping) => ping.number === number);
    for (const ping of this.#sent.splice(0, last + 1)) {
      ping.resolve();
    }
    if (this.#sent.length === 0) {
      this.#timers.cancel(this);
    }
  }

  rejectAll(error: FospError): void {
    this.#timers.cancel(this);
    for (const ping of this.#sent.splice(0)) {
      ping.reject(error);
    }
  }

  wake(now: number): void {
    const inTime = this.#sent.findIndex(({ deadline }) => deadline > now);
    for (const ping of this.#sent.splice(0, inTime === -1 ? this.#sent.length : inTime)) {
      ping.reject(fospError('timeout', `No pong within ${this.#timeoutMs / 1000} seconds.`));
    }
    const [next] = this.#sent;
    if (next !== undefined) {
      this.#timers.schedule(this, next.deadline);
    }
  }
}
