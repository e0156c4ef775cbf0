/**
 * The transport of standalone, where all services share one process. Calls go straight to their handler, publications
 * in the next microtask, so that a publisher is never run over by its listeners.
 *
 * Invariants: nothing is copied, since nobody changes what was handed over; a call is begun once or refused; publications
 * arrive in the order of `publish`, also across subjects. There is no link that could break, so `onGap` is never told.
 */
import { Deadlines } from './deadlines.ts';
import { InProcessLeases } from './in-process-leases.ts';
import { InProcessStream, type StreamOptions } from './in-process-stream.ts';
import { matchesSubject } from './subject-pattern.ts';
import {
  type Backlog,
  BUS_BODY_BYTES,
  BusError,
  type BusMessage,
  type BusSubscription,
  type CallContext,
  type CallHandler,
  type ConsumeOptions,
  type Following,
  type FollowOptions,
  type HeldLease,
  type ServeOptions,
  type Shared,
  type Transport,
} from './transport.ts';

export interface InProcessOptions {
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  /** Milliseconds by which a call may be told late that its deadline passed; 25. */
  readonly deadlineTick?: number;
  /** Bounds of each durable stream; 10,000 messages, 100,000 ids, 64 handlers, pauses from 100 ms to 10 s. */
  readonly stream?: Partial<StreamOptions>;
}

const STREAM_DEFAULTS: StreamOptions = {
  waitingMessages: 10_000,
  rememberedIds: 100_000,
  concurrency: 64,
  retryPause: 100,
  longestRetryPause: 10_000,
};

interface Server {
  readonly handler: CallHandler;
  readonly concurrency: number;
  running: number;
  /** Waits for the running handlers to end. */
  readonly stopping: (() => void)[];
}

/** A queue group. */
interface Group {
  readonly servers: Server[];
  next: number;
}

type Listener = (message: BusMessage, subject: string) => void;

export class InProcessTransport implements Transport {
  readonly #clock: () => number;
  readonly #deadlines: Deadlines;
  readonly #streamOptions: StreamOptions;
  readonly #groups = new Map<string, Group>();
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #streams = new Map<string, InProcessStream>();
  readonly #leases = new InProcessLeases();
  /** Bounded by what one run of the event loop publishes: it is emptied before anything else happens. */
  #published: { readonly subject: string; readonly message: BusMessage }[] = [];
  #closed = false;

  constructor(options: InProcessOptions = {}) {
    this.#clock = options.clock ?? Date.now;
    this.#deadlines = new Deadlines(this.#clock, options.deadlineTick ?? 25);
    this.#streamOptions = { ...STREAM_DEFAULTS, ...options.stream };
  }

  request(subject: string, message: BusMessage, context: CallContext): Promise<BusMessage> {
    const refusal = this.#refusal(subject, message);
    if (refusal !== undefined) {
      return Promise.reject(refusal);
    }
    if (context.deadline <= this.#clock()) {
      return Promise.reject(pastDeadline(subject));
    }
    const group = this.#groups.get(subject);
    if (group === undefined) {
      return Promise.reject(new BusError('no-responders', `Nobody serves ${subject}`));
    }
    const server = takeTurn(group);
    if (server === undefined) {
      return Promise.reject(new BusError('overloaded', `All servers of ${subject} are at their concurrency`));
    }
    return new Promise((resolve, reject) => {
      const watched = this.#deadlines.watch(context.deadline, () => reject(pastDeadline(subject)));
      server.running++;
      server.handler(message, context).then(
        (reply) => {
          this.#deadlines.forget(watched);
          ended(server);
          if (reply.body.byteLength > BUS_BODY_BYTES) {
            reject(tooLarge(`The answer of ${subject}`, reply));
          } else {
            resolve(reply);
          }
        },
        () => {
          this.#deadlines.forget(watched);
          ended(server);
          reject(new BusError('failed', `The handler of ${subject} rejected`));
        },
      );
    });
  }

  async serve(subject: string, handler: CallHandler, options: ServeOptions): Promise<BusSubscription> {
    this.#checkOpen(subject);
    const server: Server = { handler, concurrency: options.concurrency, running: 0, stopping: [] };
    const group = this.#groups.get(subject) ?? { servers: [], next: 0 };
    this.#groups.set(subject, group);
    group.servers.push(server);
    return {
      stop: () => {
        const index = group.servers.indexOf(server);
        if (index >= 0) {
          group.servers.splice(index, 1);
        }
        if (group.servers.length === 0 && this.#groups.get(subject) === group) {
          this.#groups.delete(subject);
        }
        return untilIdle(server);
      },
    };
  }

  publish(subject: string, message: BusMessage): void {
    const refusal = this.#refusal(subject, message);
    if (refusal !== undefined) {
      throw refusal;
    }
    if (this.#listeners.has(subject) && this.#published.push({ subject, message }) === 1) {
      queueMicrotask(() => this.#deliver());
    }
  }

  /** Publications leave in the next microtask, which comes before whoever waits for this goes on. */
  async flushed(): Promise<void> {
    this.#checkOpen('what was published');
  }

  async subscribe(subject: string, handler: Listener): Promise<BusSubscription> {
    this.#checkOpen(subject);
    // A listener of its own, since the same handler may be subscribed twice.
    const listener: Listener = (message, from) => handler(message, from);
    const listeners = this.#listeners.get(subject) ?? new Set();
    this.#listeners.set(subject, listeners);
    listeners.add(listener);
    return {
      stop: async () => {
        listeners.delete(listener);
        if (listeners.size === 0 && this.#listeners.get(subject) === listeners) {
          this.#listeners.delete(subject);
        }
      },
    };
  }

  append(stream: string, subject: string, message: BusMessage & { readonly id: string }): Promise<void> {
    const refusal = this.#refusal(subject, message);
    return refusal === undefined ? this.#stream(stream).append(subject, message) : Promise.reject(refusal);
  }

  async consume(stream: string, options: ConsumeOptions): Promise<BusSubscription> {
    this.#checkOpen(stream);
    return this.#stream(stream).consume(options);
  }

  async follow(stream: string, options: FollowOptions): Promise<Following> {
    this.#checkOpen(stream);
    return this.#stream(stream).follow(options);
  }

  async backlogs(): Promise<readonly Backlog[]> {
    return [...this.#streams].flatMap(([name, stream]) => stream.backlogs().map((own) => ({ ...own, stream: name })));
  }

  async subjects(stream: string, subject?: string): Promise<ReadonlyMap<string, number>> {
    const all = this.#stream(stream).subjects();
    return subject === undefined ? all : new Map([...all].filter(([name]) => matchesSubject(subject, name)));
  }

  async trim(): Promise<number> {
    return 0;
  }

  async lease(name: string): Promise<HeldLease | undefined> {
    this.#checkOpen(name);
    return this.#leases.take(name);
  }

  /** There is nobody to share with. */
  async share({ group, part, work }: Shared): Promise<BusSubscription> {
    this.#checkOpen(`${group} ${part}`);
    const ending = new AbortController();
    const failed = (error: unknown) => process.emitWarning(`Work for ${group} ${part} ended: ${String(error)}`);
    const ended = work(ending.signal).catch(failed);
    return {
      stop: () => {
        ending.abort();
        return ended;
      },
    };
  }

  onGap(): void {}

  async drain(): Promise<void> {
    this.#closed = true;
    const servers = [...this.#groups.values()].flatMap((group) => group.servers);
    await Promise.all([
      ...servers.map((server) => untilIdle(server)),
      ...[...this.#streams.values()].map((stream) => stream.close()),
    ]);
    this.#leases.releaseAll();
  }

  #checkOpen(subject: string): void {
    if (this.#closed) {
      throw closedTo(subject);
    }
  }

  #refusal(subject: string, message: BusMessage): BusError | undefined {
    if (this.#closed) {
      return closedTo(subject);
    }
    return message.body.byteLength > BUS_BODY_BYTES ? tooLarge(`A message to ${subject}`, message) : undefined;
  }

  #stream(name: string): InProcessStream {
    const stream = this.#streams.get(name) ?? new InProcessStream(this.#streamOptions, this.#clock);
    this.#streams.set(name, stream);
    return stream;
  }

  #deliver(): void {
    for (const { subject, message } of this.#published) {
      for (const listener of this.#listeners.get(subject) ?? []) {
        try {
          listener(message, subject);
        } catch (error) {
          process.emitWarning(`A listener to ${subject} threw: ${String(error)}`);
        }
      }
    }
    this.#published = [];
  }
}

/** The next server of the group that is below its concurrency. */
function takeTurn(group: Group): Server | undefined {
  const { servers } = group;
  for (let tried = 0; tried < servers.length; tried++) {
    group.next = (group.next + 1) % servers.length;
    const server = servers[group.next];
    if (server !== undefined && server.running < server.concurrency) {
      return server;
    }
  }
  return undefined;
}

function ended(server: Server): void {
  server.running--;
  if (server.running === 0) {
    for (const resolve of server.stopping.splice(0)) {
      resolve();
    }
  }
}

function untilIdle(server: Server): Promise<void> {
  return server.running === 0 ? Promise.resolve() : new Promise((resolve) => server.stopping.push(resolve));
}

function closedTo(subject: string): BusError {
  return new BusError('closed', `The bus is closed to ${subject}`);
}

function pastDeadline(subject: string): BusError {
  return new BusError('deadline', `${subject} did not answer in time`);
}

function tooLarge(what: string, message: BusMessage): BusError {
  return new BusError('too-large', `${what} has ${message.body.byteLength} bytes; ${BUS_BODY_BYTES} are the most`);
}
