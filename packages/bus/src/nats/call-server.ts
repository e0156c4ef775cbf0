/**
 * One server of a subject's queue group. A call past its deadline is dropped, its caller having given up, and so is one that
 * names no place for its answer; one over the concurrency is refused at once; every other is answered, with a refusal where
 * the handler rejected. Of one that takes long its caller is told now and then that somebody is at it, so that silence means
 * that nobody is any more.
 *
 * Lifecycle: `start` resolves once calls arrive; `stop` leaves the group, handles what was on its way, and resolves once
 * no handler runs.
 */
import type { Msg, Subscription } from '@nats-io/transport-node';
import {
  BUS_BODY_BYTES,
  type BusErrorCode,
  type BusMessage,
  type BusSubscription,
  type CallHandler,
} from '../transport.ts';
import {
  DEADLINE,
  encodeHeaders,
  noteHeaders,
  REFUSAL,
  REQUEST_ID,
  type Received,
  receivedIn,
  TRACE,
} from './headers.ts';
import type { Link } from './link.ts';

/** Every server of a subject is in this group of it. */
const QUEUE = 'fosp';
const NO_BYTES = new Uint8Array(0);

export interface CallServerOptions {
  /** As the server knows it. */
  readonly subject: string;
  readonly handler: CallHandler;
  readonly concurrency: number;
  readonly clock: () => number;
  /** Milliseconds after which a caller is told that its call is still worked at, again and again. */
  readonly notes: number;
}

/** By so much of its time a note may be late. */
const NOTE_TICKS = 4;

export class CallServer implements BusSubscription {
  readonly #link: Link;
  readonly #options: CallServerOptions;
  readonly #subscription: Subscription;
  readonly #idle: (() => void)[] = [];
  /** Callers whose handlers run. */
  readonly #running = new Set<Caller>();
  #noting: NodeJS.Timeout | undefined;
  #stopped: Promise<void> | undefined;

  private constructor(link: Link, options: CallServerOptions) {
    this.#link = link;
    this.#options = options;
    this.#subscription = link.connection.subscribe(options.subject, {
      queue: QUEUE,
      callback: (error, message) => {
        if (error === null) {
          this.#take(message);
        }
      },
    });
  }

  static async start(link: Link, options: CallServerOptions): Promise<CallServer> {
    link.checkUp(`the queue group of ${options.subject}`);
    const server = new CallServer(link, options);
    try {
      await link.flush(`the queue group of ${options.subject}`);
    } catch (error) {
      server.#subscription.unsubscribe();
      throw error;
    }
    return server;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    if (!this.#subscription.isClosed()) {
      await this.#subscription.drain();
    }
    if (this.#running.size > 0) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
  }

  #take(message: Msg): void {
    const received = receivedIn(message.headers);
    const deadline = Number(received.own[DEADLINE]);
    const now = this.#options.clock();
    const { reply } = message;
    if (!(deadline > now) || !reply) {
      return;
    }
    const caller = new Caller(this.#link, reply, now);
    if (this.#running.size >= this.#options.concurrency) {
      caller.refuse('overloaded');
      return;
    }
    this.#running.add(caller);
    this.#noting ??= setInterval(() => this.#note(), this.#options.notes / NOTE_TICKS);
    void this.#answer({ headers: received.fields, body: message.data }, { received, deadline, caller });
  }

  async #answer(call: BusMessage, { received, deadline, caller }: Taken): Promise<void> {
    const requestId = received.own[REQUEST_ID] ?? '';
    try {
      const trace = received.own[TRACE];
      const { headers, body } = await this.#options.handler(call, { deadline, requestId, trace });
      if (body.byteLength > BUS_BODY_BYTES) {
        caller.refuse('too-large');
      } else {
        caller.tell(encodeHeaders(headers), body);
      }
    } catch {
      caller.refuse('failed');
    }
    this.#running.delete(caller);
    if (this.#running.size === 0) {
      for (const resolve of this.#idle.splice(0)) {
        resolve();
      }
    }
  }

  /** Tells those who wait for long that somebody is at it. */
  #note(): void {
    const now = this.#options.clock();
    for (const caller of this.#running) {
      if (now - caller.toldAt >= this.#options.notes) {
        caller.toldAt = now;
        caller.tell(noteHeaders(), NO_BYTES);
      }
    }
    if (this.#running.size === 0) {
      clearInterval(this.#noting);
      this.#noting = undefined;
    }
  }
}

/** A call that is worked at. */
interface Taken {
  readonly received: Received;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  readonly caller: Caller;
}

/** Whoever waits for an answer. */
class Caller {
  readonly #link: Link;
  readonly #inbox: string;
  /** When it asked, or was told last that somebody is at it. Milliseconds since the epoch. */
  toldAt: number;

  constructor(link: Link, inbox: string, now: number) {
    this.#link = link;
    this.#inbox = inbox;
    this.toldAt = now;
  }

  tell(headers: Uint8Array, body: Uint8Array): void {
    try {
      this.#link.publish(this.#inbox, body, { headers });
    } catch {
      // The link is closed: the caller hears nothing, and gives up.
    }
  }

  refuse(code: BusErrorCode): void {
    this.tell(encodeHeaders({}, { [REFUSAL]: code }), NO_BYTES);
  }
}
