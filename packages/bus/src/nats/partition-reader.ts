/**
 * Reads one partition of a durable stream while its lease is held: from the cursor kept with the lease, by an ordered
 * consumer, each message to the handler in the order of its key.
 *
 * Invariants: the cursor is saved over the link that the handlers publish on, after they returned, so that what they
 * published has reached the server when the cursor moves; where the link breaks, the lease is lost and all that was not
 * saved comes again. Nothing begins once the lease is lost or handed over, and the lease is given up when nothing runs.
 */
import {
  type Consumer,
  type ConsumerMessages,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
} from '@nats-io/jetstream';
import { KeyedRunner, type KeyedRunnerOptions } from '../keyed-runner.ts';
import type { Backlog, ConsumeOptions, DurableMessage } from '../transport.ts';
import { receivedIn } from './headers.ts';
import type { Link } from './link.ts';
import { Progress, type ProgressLimits } from './progress.ts';
import type { Lease } from './recorded-lease.ts';

export interface ReaderOptions extends KeyedRunnerOptions {
  readonly limits: ProgressLimits;
  /** Bytes asked of the server ahead of what is read; over 8 MiB, or a large message could never come. */
  readonly pullBytes: number;
  /** Milliseconds between two saves of the cursor. */
  readonly savePause: number;
}

export interface Partition {
  /** As the server knows them. */
  readonly stream: string;
  readonly pattern: string;
  /** What stands before the subjects that handlers know. */
  readonly prefix: string;
  /** Are messages removed once they are handled? */
  readonly emptied: boolean;
}

export interface ReaderServer {
  readonly link: Link;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly warn: (text: string) => void;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

interface Item {
  readonly message: DurableMessage;
}

/** While the partition is read. */
interface Reading {
  readonly consumer: Consumer;
  readonly progress: Progress;
  /** How many more there were when the last message was sent. */
  behind: number;
  /** When it was first seen that something waits and nothing comes, and how many messages had come until then. */
  standstill: { readonly at: number; readonly begun: number } | undefined;
}

const NANOS_PER_MS = 1e6;

export class PartitionReader {
  readonly #server: ReaderServer;
  readonly #partition: Partition;
  readonly #options: ReaderOptions;
  #reading: Reading | undefined;

  constructor(server: ReaderServer, partition: Partition, options: ReaderOptions) {
    this.#server = server;
    this.#partition = partition;
    this.#options = options;
  }

  /** What is to be handled, with what the server has yet to send; undefined while this process does not read the partition. */
  async backlog(): Promise<Pick<Backlog, 'messages' | 'oldestAt'> | undefined> {
    const reading = this.#reading;
    if (reading === undefined) {
      return undefined;
    }
    const { consumer, progress } = reading;
    const unsent = await this.#server.link.whileUp(() => consumer.info()).then((info) => info.num_pending);
    const messages = progress.unhandled + Math.max(unsent, reading.behind);
    return { messages, oldestAt: progress.oldestAt ?? this.#standstill(reading, messages) };
  }

  /** Since when nothing comes, though something waits. */
  #standstill(reading: Reading, messages: number): number | undefined {
    const { begun } = reading.progress;
    if (messages === 0) {
      reading.standstill = undefined;
    } else if (reading.standstill?.begun !== begun) {
      reading.standstill = { at: this.#server.clock(), begun };
    }
    return reading.standstill?.at;
  }

  /** Resolves once nothing of it runs: after `ending` or the loss of the lease. */
  async read(taker: ConsumeOptions, lease: Lease, ending: AbortSignal): Promise<void> {
    const stop = AbortSignal.any([ending, lease.lost]);
    const progress = new Progress(await this.#start(lease), this.#options.limits);
    const saver = new Saver(lease, progress, {
      pause: this.#options.savePause,
      saved: (cursor) => this.#empty(cursor),
    });
    let roomMade = (): void => undefined;
    const runner = new KeyedRunner<Item>(async ({ message }) => {
      await taker.handler(message);
      progress.handled(message.position, message.body.byteLength);
      saver.moved();
      roomMade();
    }, this.#options);
    const consumer = await this.#open(progress.cursor);
    const messages = await consumer.consume({ max_bytes: this.#options.pullBytes });
    const reading: Reading = { consumer, progress, behind: 0, standstill: undefined };
    this.#reading = reading;
    const close = (): void => {
      messages.stop();
      roomMade();
    };
    stop.addEventListener('abort', close, { once: true });
    try {
      for await (const received of unless(stop, messages)) {
        const message = this.#toMessage(received);
        reading.behind = received.info.pending;
        progress.begin(message, message.body.byteLength);
        runner.push(taker.key(message), { message });
        while (!progress.hasRoom && !stop.aborted) {
          await new Promise<void>((resolve) => {
            roomMade = resolve;
          });
        }
        if (stop.aborted) {
          break;
        }
      }
    } finally {
      this.#reading = undefined;
      messages.stop();
      await runner.stop();
      await saver.finish();
      void consumer.delete().catch(() => false);
    }
  }

  /** The cursor; or the stream's end where that is before it, or whatever comes next would be taken for handled. */
  async #start(lease: Lease): Promise<number> {
    const { link, manager, warn } = this.#server;
    const { stream } = this.#partition;
    const cursor = Number(lease.value);
    const end = (await link.whileUp(() => manager.streams.info(stream))).state.last_seq;
    if (end < cursor) {
      warn(
        `${stream} ends at ${end}, before ${cursor} to which ${lease.name} had come: it lost messages, or was replaced`,
      );
    }
    return Math.min(cursor, end);
  }

  #open(cursor: number): Promise<Consumer> {
    const { stream, pattern } = this.#partition;
    const open = () =>
      this.#server.client.consumers.get(stream, {
        filter_subjects: pattern,
        deliver_policy: DeliverPolicy.StartSequence,
        opt_start_seq: cursor + 1,
      });
    return this.#server.link.whileUp(open);
  }

  #toMessage(received: JsMsg): DurableMessage {
    return {
      headers: receivedIn(received.headers).fields,
      body: received.data,
      position: received.seq,
      appendedAt: received.info.timestampNanos / NANOS_PER_MS,
      subject: received.subject.slice(this.#partition.prefix.length),
    };
  }

  /** Removes what was handled, where the stream is to hold only what waits. */
  async #empty(cursor: number): Promise<void> {
    const { stream, pattern, emptied } = this.#partition;
    if (emptied) {
      // With a filter the server looks at all that comes after, too.
      const which = pattern === `${stream}.>` ? {} : { filter: pattern };
      await this.#server.link.whileUp(() => this.#server.manager.streams.purge(stream, { ...which, seq: cursor + 1 }));
    }
  }
}

/** Saves the cursor now and then, one save at a time. */
class Saver {
  readonly #lease: Lease;
  readonly #progress: Progress;
  readonly #pause: number;
  readonly #onSaved: (cursor: number) => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #saving: Promise<void> | undefined;
  #saved: number;

  constructor(
    lease: Lease,
    progress: Progress,
    options: { readonly pause: number; readonly saved: (cursor: number) => Promise<void> },
  ) {
    this.#lease = lease;
    this.#progress = progress;
    this.#pause = options.pause;
    this.#onSaved = options.saved;
    this.#saved = progress.cursor;
  }

  moved(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#save();
    }, this.#pause);
  }

  /** Saves what is left to save, unless the lease is lost. */
  async finish(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#saving;
    await this.#save();
  }

  async #save(): Promise<void> {
    if (this.#saving !== undefined) {
      this.moved();
      return;
    }
    this.#saving = this.#saveNow();
    await this.#saving;
    this.#saving = undefined;
  }

  async #saveNow(): Promise<void> {
    const { cursor } = this.#progress;
    if (cursor === this.#saved || this.#lease.lost.aborted) {
      return;
    }
    try {
      await this.#lease.save(String(cursor));
      this.#saved = cursor;
      await this.#onSaved(cursor);
    } catch {
      // The lease is lost, and with it this reader; or the removal failed, which the next one makes up for.
    }
  }
}

async function* unless(stop: AbortSignal, messages: ConsumerMessages): AsyncIterable<JsMsg> {
  if (!stop.aborted) {
    yield* messages;
  }
}
