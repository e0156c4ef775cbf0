/**
 * A durable stream within one process. It outlives its consumers, not the process: so `append` resolves only when every
 * consumer has handled the message, and whoever appends keeps the message until then (`changes`: the outbox rows).
 *
 * Invariants: a message goes to the consumer names whose pattern matches when it is appended, or, where there is none,
 * to the first that comes; of several takers with one name and pattern the longest-standing one alone gets messages,
 * and the next takes over what it left; whoever follows a subject is such a taker, by the subject as its name. An id that waits, or was handled among the last `rememberedIds`, is not taken
 * again. Over `waitingMessages` an append is refused as `overloaded`.
 */
import { positionsFrom } from './follow-window.ts';
import { type Entry, FollowedTaking, KeyedTaking, type Taking } from './in-process-takings.ts';
import type { KeyedRunnerOptions } from './keyed-runner.ts';
import { matchesSubject } from './subject-pattern.ts';
import {
  type Backlog,
  BusError,
  type BusMessage,
  type BusSubscription,
  type ConsumeOptions,
  type Following,
  type FollowOptions,
} from './transport.ts';

export interface StreamOptions extends KeyedRunnerOptions {
  /** Messages appended and not yet handled. */
  readonly waitingMessages: number;
  /** Ids of handled messages that are still recognised as repeated. */
  readonly rememberedIds: number;
}

type Taker = () => Taking;

/** One consumer name on one pattern. */
interface Consumer {
  readonly pattern: string;
  readonly takers: Taker[];
  /** Of the first taker; none where there is no taker, and while one hands over to the next. */
  runner: Taking | undefined;
  handingOver: boolean;
  /** What no taker runs; in order. */
  left: Entry[];
}

export class InProcessStream {
  readonly #options: StreamOptions;
  readonly #consumers = new Map<string, Consumer>();
  readonly #waiting = new Map<string, Entry>();
  readonly #handledIds = new Set<string>();
  /** Messages for which there is no consumer yet; in order. */
  #unclaimed: Entry[] = [];
  #position = 0;
  readonly #clock: () => number;
  readonly #positionsFrom: number;
  #closed = false;

  constructor(options: StreamOptions, clock: () => number) {
    this.#options = options;
    this.#clock = clock;
    this.#positionsFrom = positionsFrom(clock());
  }

  append(subject: string, { id, headers, body }: BusMessage & { readonly id: string }): Promise<void> {
    if (this.#closed) {
      return Promise.reject(new BusError('closed', `${subject} takes no more messages`));
    }
    const waiting = this.#waiting.get(id);
    if (waiting !== undefined) {
      return waiting.appended.promise;
    }
    if (this.#handledIds.has(id)) {
      return Promise.resolve();
    }
    if (this.#waiting.size >= this.#options.waitingMessages) {
      return Promise.reject(new BusError('overloaded', `${this.#waiting.size} messages wait to be handled`));
    }
    const position = ++this.#position;
    const appended = Promise.withResolvers<void>();
    const message = { headers, body, subject, position, appendedAt: this.#clock() };
    const entry: Entry = { id, message, consumers: 0, appended };
    this.#waiting.set(id, entry);
    for (const consumer of this.#consumers.values()) {
      if (matchesSubject(consumer.pattern, subject)) {
        this.#give(consumer, entry);
      }
    }
    if (entry.consumers === 0) {
      this.#unclaimed.push(entry);
    }
    return appended.promise;
  }

  consume(options: ConsumeOptions): BusSubscription {
    const taker = () => new KeyedTaking(options, this.#options, (entry) => this.#handled(entry));
    return this.#take(`${options.consumer} ${options.subject}`, options.subject, taker);
  }

  follow(options: FollowOptions): Following {
    let following: FollowedTaking | undefined;
    const taker = () => {
      following = new FollowedTaking(options, this.#positionsFrom, (entry) => this.#handled(entry));
      return following;
    };
    return {
      ...this.#take(`follower ${options.subject}`, options.subject, taker),
      acknowledge: (position) => following?.acknowledge(position),
      rewind: () => following?.rewind(),
    };
  }

  /** How many messages wait to be handled, by subject. */
  subjects(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { message } of this.#waiting.values()) {
      counts.set(message.subject, (counts.get(message.subject) ?? 0) + 1);
    }
    return counts;
  }

  /** What waits to be handled, by the pattern of each consumer that has a taker. */
  backlogs(): Pick<Backlog, 'subject' | 'messages' | 'oldestAt'>[] {
    const taken = [...this.#consumers.values()].filter(({ runner }) => runner !== undefined);
    const waiting = [...this.#waiting.values()].map(({ message }) => message);
    return taken.map(({ pattern }) => {
      const own = waiting.filter(({ subject }) => matchesSubject(pattern, subject));
      return { subject: pattern, messages: own.length, oldestAt: own[0]?.appendedAt };
    });
  }

  /** Lets running handlers end. What was not handled then is refused as `closed`. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#consumers.values()].map((consumer) => consumer.runner?.stop()));
    for (const { appended, message } of this.#waiting.values()) {
      appended.reject(new BusError('closed', `${message.subject} was closed before its message was handled`));
    }
    this.#waiting.clear();
  }

  #take(name: string, pattern: string, taker: Taker): BusSubscription {
    const consumer = this.#consumers.get(name) ?? this.#addConsumer(name, pattern);
    consumer.takers.push(taker);
    this.#run(consumer);
    let stopped: Promise<void> | undefined;
    return {
      stop: () => {
        stopped ??= this.#stop(consumer, taker);
        return stopped;
      },
    };
  }

  #addConsumer(name: string, pattern: string): Consumer {
    const consumer: Consumer = { pattern, takers: [], runner: undefined, handingOver: false, left: [] };
    this.#consumers.set(name, consumer);
    const matches = (entry: Entry) => matchesSubject(pattern, entry.message.subject);
    const claimed = this.#unclaimed.filter(matches);
    this.#unclaimed = this.#unclaimed.filter((entry) => !matches(entry));
    for (const entry of claimed) {
      this.#give(consumer, entry);
    }
    return consumer;
  }

  #give(consumer: Consumer, entry: Entry): void {
    entry.consumers++;
    if (consumer.runner === undefined) {
      consumer.left.push(entry);
    } else {
      consumer.runner.push(entry);
    }
  }

  /** Starts the first taker, unless it runs already. */
  #run(consumer: Consumer): void {
    const taker = consumer.takers[0];
    if (taker === undefined || consumer.runner !== undefined || consumer.handingOver || this.#closed) {
      return;
    }
    consumer.runner = taker();
    const { left } = consumer;
    consumer.left = [];
    for (const entry of left) {
      consumer.runner.push(entry);
    }
  }

  async #stop(consumer: Consumer, taker: Taker): Promise<void> {
    const { takers, runner } = consumer;
    const isFirst = takers[0] === taker;
    takers.splice(takers.indexOf(taker), 1);
    if (!isFirst || runner === undefined) {
      return;
    }
    consumer.runner = undefined;
    consumer.handingOver = true;
    consumer.left.unshift(...(await runner.stop()));
    consumer.left.sort((a, b) => a.message.position - b.message.position);
    consumer.handingOver = false;
    this.#run(consumer);
  }

  #handled(entry: Entry): void {
    if (--entry.consumers > 0) {
      return;
    }
    this.#waiting.delete(entry.id);
    this.#handledIds.add(entry.id);
    if (this.#handledIds.size > this.#options.rememberedIds) {
      const [oldest = entry.id] = this.#handledIds;
      this.#handledIds.delete(oldest);
    }
    entry.appended.resolve();
  }
}
