/**
 * A bus as bad as a network may make it: calls and answers that get lost, events that come late or twice. What a transport
 * promises still holds: published messages of one publisher and subject stay in order, one that is lost on its way to a
 * listener is told to it as a gap, and durable ones come at least once. Chance comes from outside, so that a failing run can
 * be repeated.
 */
import {
  BusError,
  type BusMessage,
  type BusSubscription,
  type CallContext,
  type ConsumeOptions,
  type Shared,
  type Transport,
} from '@fosp/bus';

/** What may happen, each with the share of those it happens to. */
export interface FaultShares {
  /** Calls that never reach a server. */
  readonly lostRequests?: number;
  /** Calls that are answered, but whose answer gets lost. */
  readonly lostAnswers?: number;
  /** Messages that do not reach a listener; each is told as a gap. */
  readonly lostMessages?: number;
  /** Published messages that come again later, as from a process which took over and does not know how far the last one got. */
  readonly repeatedMessages?: number;
  /** Durable messages that are handled twice. */
  readonly repeats?: number;
  /** Durable messages that are kept twice, as from a process that died before it knew they were kept. */
  readonly repeatedAppends?: number;
}

export interface Faults extends FaultShares {
  /** 0 … 1, as `Math.random`. */
  readonly random: () => number;
  /** Milliseconds that published messages and calls are late; drawn anew each time. */
  readonly lag?: () => number;
  /** Told of each fault. */
  readonly struck?: (fault: keyof FaultShares) => void;
}

export function unreliableTransport(inner: Transport, faults: Faults): Transport {
  return new UnreliableTransport(inner, faults);
}

class UnreliableTransport implements Transport {
  readonly #inner: Transport;
  readonly #faults: Faults;
  readonly #listeners: ((reason: string) => void)[] = [];
  readonly #queues = new Map<string, Promise<void>>();

  constructor(inner: Transport, faults: Faults) {
    this.#inner = inner;
    this.#faults = faults;
  }

  async request(subject: string, message: BusMessage, context: CallContext): Promise<BusMessage> {
    await this.#late();
    if (this.#strikes('lostRequests')) {
      throw new BusError('deadline', `The request to ${subject} was lost on purpose`);
    }
    const answer = await this.#inner.request(subject, message, context);
    if (this.#strikes('lostAnswers')) {
      throw new BusError('deadline', `The answer of ${subject} was lost on purpose`);
    }
    return answer;
  }

  publish(subject: string, message: BusMessage): void {
    const again = this.#strikes('repeatedMessages');
    if (this.#faults.lag === undefined && !again) {
      this.#inner.publish(subject, message);
      return;
    }
    this.#enqueue(subject, message);
    if (again) {
      // Behind what is published meanwhile.
      void this.#late().then(() => this.#enqueue(subject, message));
    }
  }

  subscribe(subject: string, handler: (message: BusMessage, subject: string) => void): Promise<BusSubscription> {
    return this.#inner.subscribe(subject, (message, from) => {
      if (!this.#strikes('lostMessages')) {
        handler(message, from);
        return;
      }
      for (const listener of this.#listeners) {
        listener(`A message to ${from} was lost on purpose`);
      }
    });
  }

  async append(stream: string, subject: string, message: BusMessage & { readonly id: string }): Promise<void> {
    await this.#inner.append(stream, subject, message);
    if (this.#strikes('repeatedAppends')) {
      await this.#inner.append(stream, subject, { ...message, id: `${message.id} again` });
    }
  }

  consume(stream: string, options: ConsumeOptions): Promise<BusSubscription> {
    const handler: ConsumeOptions['handler'] = async (message) => {
      await this.#late();
      await options.handler(message);
      if (this.#strikes('repeats')) {
        await options.handler(message);
      }
    };
    return this.#inner.consume(stream, { ...options, handler });
  }

  onGap(listener: (reason: string) => void): void {
    this.#listeners.push(listener);
    this.#inner.onGap(listener);
  }

  serve(...call: Parameters<Transport['serve']>): Promise<BusSubscription> {
    return this.#inner.serve(...call);
  }

  follow(...call: Parameters<Transport['follow']>): ReturnType<Transport['follow']> {
    return this.#inner.follow(...call);
  }

  subjects(...call: Parameters<Transport['subjects']>): ReturnType<Transport['subjects']> {
    return this.#inner.subjects(...call);
  }

  backlogs(): ReturnType<Transport['backlogs']> {
    return this.#inner.backlogs();
  }

  share(shared: Shared): Promise<BusSubscription> {
    return this.#inner.share(shared);
  }

  trim(...call: Parameters<Transport['trim']>): Promise<number> {
    return this.#inner.trim(...call);
  }

  lease(name: string): ReturnType<Transport['lease']> {
    return this.#inner.lease(name);
  }

  async flushed(): Promise<void> {
    await Promise.all(this.#queues.values());
    await this.#inner.flushed();
  }

  async drain(): Promise<void> {
    await Promise.all(this.#queues.values());
    await this.#inner.drain();
  }

  #enqueue(subject: string, message: BusMessage): void {
    const before = this.#queues.get(subject) ?? Promise.resolve();
    const sent = before.then(() => this.#late()).then(() => this.#inner.publish(subject, message));
    this.#queues.set(subject, sent);
  }

  #strikes(fault: keyof FaultShares): boolean {
    const share = this.#faults[fault];
    const strikes = share !== undefined && this.#faults.random() < share;
    if (strikes) {
      this.#faults.struck?.(fault);
    }
    return strikes;
  }

  async #late(): Promise<void> {
    const { lag } = this.#faults;
    if (lag) {
      await new Promise<void>((resolve) => setTimeout(resolve, lag()));
    }
  }
}
