/**
 * Follows one subject of a durable stream: reads it by an ordered consumer (what is under an older one, one by one), hands a window
 * of messages over, and removes from the stream what is acknowledged. What is in the stream is all there is to know: it needs no cursor.
 *
 * Invariants: messages are fed in order, each once but for `rewind`, over any number of broken links, since reading begins
 * anew behind what was read last. No more is read than the window takes, so what waits for a slow reader waits at the server.
 * Lifecycle: `start` resolves once it reads; then until `stop`.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  type Consumer,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
} from '@nats-io/jetstream';
import { FollowWindow, positionsFrom } from '../follow-window.ts';
import type { FollowedMessage, Following, FollowOptions } from '../transport.ts';
import { receivedIn } from './headers.ts';
import type { Link } from './link.ts';
import { OlderMessages } from './older-subject.ts';
import { Removals } from './removals.ts';

export interface FollowerOptions {
  /** Bytes asked of the server ahead of what is read; over 8 MiB, or a large message could never come. */
  readonly pullBytes: number;
  /** Milliseconds that the window may be full before the server's consumer ends, which begins anew when there is room. */
  readonly fullPatience: number;
  /** Milliseconds before reading, or a removal, that failed is tried again. */
  readonly retryPause: number;
  /** Milliseconds between an acknowledgement and the removal of what it was for; those between go with it. */
  readonly removalPause: number;
  /** Messages that are removed one by one at once. */
  readonly removalsAtOnce: number;
  /** Acknowledged messages that are to be removed, beyond which nothing more is read. */
  readonly waitingRemovals: number;
  /** Milliseconds until it is first looked whether an older program appended something; each time twice as long, up to the longest. */
  readonly olderPause: number;
  readonly longestOlderPause: number;
}

/** What is followed, as the server knows it. */
export interface Followed {
  readonly stream: string;
  readonly subject: string;
  /** What stands before the subjects that `feed` is told. */
  readonly prefix: string;
}

export interface FollowerServer {
  readonly link: Link;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly warn: (text: string) => void;
}

/** Sequence numbers over which one removal of all is cheaper than one each: about what the server keeps in memory. */
const CLOSE_TOGETHER = 10_000;

export class Follower implements Following {
  readonly #server: FollowerServer;
  readonly #followed: Followed;
  readonly #options: FollowerOptions;
  readonly #window: FollowWindow;
  readonly #removals: Removals;
  readonly #older: OlderMessages | undefined;
  readonly #stopping = new AbortController();
  /** Lets the reader look again whether it may go on. */
  #look = (): void => undefined;
  /** Sequence number read last. */
  #read = 0;
  /** How many more there were, when that was read. */
  #behind = 0;
  /** What is added to sequence numbers. */
  #positionsFrom = 0;
  #reading: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  private constructor(server: FollowerServer, followed: Followed, options: FollowerOptions & FollowOptions) {
    this.#server = server;
    this.#followed = followed;
    this.#options = options;
    this.#window = new FollowWindow(options);
    const removed = () => this.#look();
    this.#removals = new Removals(server, followed, { ...options, removed });
    const { older } = options;
    this.#older = older && new OlderMessages(server, followed, { ...options, older, removed });
  }

  /** Rejects where it cannot be read now. */
  static async start(
    server: FollowerServer,
    followed: Followed,
    options: FollowerOptions & FollowOptions,
  ): Promise<Follower> {
    const follower = new Follower(server, followed, options);
    const consumer = await follower.#open();
    follower.#reading = follower.#readOn(consumer);
    return follower;
  }

  acknowledge(position: number): void {
    const all = this.#window.acknowledge(position);
    const [older, done] = this.#split(all);
    if (older.length > 0 && !this.#stopping.signal.aborted) {
      this.#older?.removals.add(older, false);
    }
    const first = done[0];
    if (first !== undefined && !this.#stopping.signal.aborted) {
      const isClose = this.#behind === 0 && this.#read - first < CLOSE_TOGETHER;
      this.#removals.add(done, isClose);
    }
    if (all.length > 0) {
      this.#look();
    }
  }

  /** Sequence numbers of what is of the older subject, and of the rest. */
  #split(messages: readonly FollowedMessage[]): readonly [number[], number[]] {
    const [older, done]: [number[], number[]] = [[], []];
    for (const { subject, position } of messages) {
      (this.#older?.isOf(subject) === true ? older : done).push(position - this.#positionsFrom);
    }
    return [older, done];
  }

  rewind(): void {
    this.#window.rewind();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#window.stop();
    this.#stopping.abort();
    this.#look();
    await this.#reading;
    await Promise.all([this.#removals.finish(), this.#older?.removals.finish()]);
  }

  /** Never rejects: what fails is tried again, until it is stopped. */
  async #readOn(first: Consumer): Promise<void> {
    const { signal } = this.#stopping;
    let consumer: Consumer | undefined = first;
    while (!signal.aborted) {
      try {
        await this.#readOlder();
        await this.#readBy(consumer ?? (await this.#open()));
      } catch (error) {
        if (this.#server.link.isUp && !signal.aborted) {
          this.#server.warn(`${this.#followed.subject} cannot be read, and will be tried again: ${String(error)}`);
        }
      }
      consumer = undefined;
      await pause(this.#options.retryPause, undefined, { signal }).catch(() => undefined);
      await this.#room(() => signal.aborted);
    }
  }

  /** Resolves with true once more may be read; with false where it is over, or that takes longer than `milliseconds`. */
  async #room(isOver: () => boolean, milliseconds?: number): Promise<boolean> {
    const hasRoom = (): boolean =>
      this.#window.hasRoom && this.#removals.hasRoom && (this.#older?.removals.hasRoom ?? true);
    let isLate = false;
    const late = (): void => {
      isLate = true;
      this.#look();
    };
    const timer = milliseconds === undefined || hasRoom() ? undefined : setTimeout(late, milliseconds);
    while (!hasRoom() && !isOver() && !isLate) {
      await new Promise<void>((resolve) => {
        this.#look = resolve;
      });
    }
    clearTimeout(timer);
    return hasRoom() && !isOver();
  }

  /** Until nothing is left of the older subject, or it is stopped. */
  async #readOlder(): Promise<void> {
    const { signal } = this.#stopping;
    while (await this.#room(() => signal.aborted)) {
      const next = await this.#older?.next(this.#read);
      if (next === undefined || signal.aborted) {
        return;
      }
      this.#read = next.message.seq;
      if (next.isMine) {
        const { header: headers } = next.message;
        this.#window.push(this.#toMessage(next.message, headers));
      }
    }
  }

  /** Until it is stopped, the link breaks, or the window was full for so long that the server need not keep a consumer. */
  async #readBy(consumer: Consumer): Promise<void> {
    const { signal } = this.#stopping;
    const messages = await consumer.consume({ max_bytes: this.#options.pullBytes });
    let isOver = signal.aborted;
    const end = (): void => {
      isOver = true;
      messages.stop();
      this.#look();
    };
    const forget = this.#server.link.onLost(end);
    signal.addEventListener('abort', end, { once: true });
    const unwatch = this.#older?.watch(() => this.#read, end);
    if (isOver) {
      end();
    }
    try {
      for await (const received of messages) {
        if (!(await this.#room(() => isOver, this.#options.fullPatience))) {
          return;
        }
        if (received.seq > this.#read) {
          if (!((await this.#older?.isClear(received.seq, this.#read)) ?? true)) {
            return;
          }
          this.#read = received.seq;
          this.#behind = received.info.pending;
          this.#window.push(this.#toMessage(received, received.headers));
        }
      }
    } finally {
      unwatch?.();
      forget();
      signal.removeEventListener('abort', end);
      messages.stop();
      void consumer.delete().catch(() => false);
    }
  }

  async #open(): Promise<Consumer> {
    const { stream, subject } = this.#followed;
    const { link, client, manager, warn } = this.#server;
    const { created, state } = await link.whileUp(() => manager.streams.info(stream));
    if (state.last_seq < this.#read) {
      warn(`${stream} ends at ${state.last_seq}, before ${this.#read}: it lost messages, or was replaced`);
      this.#read = 0;
      this.#older?.forget();
    }
    this.#positionsFrom = positionsFrom(Date.parse(created));
    return link.whileUp(() =>
      client.consumers.get(stream, {
        filter_subjects: subject,
        deliver_policy: DeliverPolicy.StartSequence,
        opt_start_seq: this.#read + 1,
      }),
    );
  }

  #toMessage(
    received: Pick<JsMsg, 'data' | 'seq' | 'subject' | 'timestamp'>,
    headers: JsMsg['headers'],
  ): FollowedMessage {
    return {
      headers: receivedIn(headers).fields,
      body: received.data,
      position: this.#positionsFrom + received.seq,
      subject: received.subject.slice(this.#followed.prefix.length),
      appendedAt: Date.parse(received.timestamp),
    };
  }
}
