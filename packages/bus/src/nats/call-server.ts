/**
 * One server of a subject's queue group. A call past its deadline is dropped, its caller having given up; one over the
 * concurrency is refused at once; every other is answered, with a refusal where the handler rejected. Of one that takes
 * long its caller is told now and then that somebody is at it, so that silence means that nobody is any more.
 *
 * Lifecycle: `start` resolves once calls arrive; `stop` leaves the group, handles what was on its way, and resolves once
 * no handler runs.
 */
import type { Msg, Subscription } from '@nats-io/transport-node';
import type { Deadlines, Watched } from '../deadlines.ts';
import {
  BUS_BODY_BYTES,
  type BusErrorCode,
  type BusMessage,
  type BusSubscription,
  type CallHandler,
} from '../transport.ts';
import { DEADLINE, encodeHeaders, noteHeaders, REFUSAL, REQUEST_ID, type Received, receivedIn } from './headers.ts';
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
  /** When that is due; shared by all servers of a link. */
  readonly due: Deadlines;
}

export class CallServer implements BusSubscription {
  readonly #link: Link;
  readonly #options: CallServerOptions;
  readonly #subscription: Subscription;
  readonly #idle: (() => void)[] = [];
  #running = 0;
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
    if (this.#running > 0) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
  }

  #take(message: Msg): void {
    const received = receivedIn(message.headers);
    const deadline = Number(received.own[DEADLINE]);
    const now = this.#options.clock();
    if (!(deadline > now)) {
      return;
    }
    const caller = new Caller(this.#link, message.reply ?? '');
    if (this.#running >= this.#options.concurrency) {
      caller.refuse('overloaded');
      return;
    }
    this.#running++;
    void this.#answer({ headers: received.fields, body: message.data }, { received, deadline, now, caller });
  }

  async #answer(call: BusMessage, { received, deadline, now, caller }: Taken): Promise<void> {
    const requestId = received.own[REQUEST_ID] ?? '';
    const notes = new Notes(caller, this.#options, now);
    try {
      const { headers, body } = await this.#options.handler(call, { deadline, requestId });
      if (body.byteLength > BUS_BODY_BYTES) {
        caller.refuse('too-large');
      } else {
        caller.tell(encodeHeaders(headers), body);
      }
    } catch {
      caller.refuse('failed');
    }
    notes.end();
    this.#running--;
    if (this.#running === 0) {
      for (const resolve of this.#idle.splice(0)) {
        resolve();
      }
    }
  }
}

/** A call that is worked at. */
interface Taken {
  readonly received: Received;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  readonly now: number;
  readonly caller: Caller;
}

/** Whoever waits for an answer. */
class Caller {
  readonly #link: Link;
  readonly #inbox: string;

  constructor(link: Link, inbox: string) {
    this.#link = link;
    this.#inbox = inbox;
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

/** What the caller of one call is told while it waits. */
class Notes {
  readonly #caller: Caller;
  readonly #options: CallServerOptions;
  #watched: Watched;

  constructor(caller: Caller, options: CallServerOptions, now: number) {
    this.#caller = caller;
    this.#options = options;
    this.#watched = this.#next(now);
  }

  end(): void {
    this.#options.due.forget(this.#watched);
  }

  #next(now: number): Watched {
    return this.#options.due.watch(now + this.#options.notes, () => {
      this.#caller.tell(noteHeaders(), NO_BYTES);
      this.#watched = this.#next(this.#options.clock());
    });
  }
}
