/**
 * Calls and events between services, typed by the tables in `calls.ts` and `events.ts`, over any transport.
 *
 * Lifecycle: one `Bus` per process, on one transport; subscriptions are stopped by whoever made them, in the order in
 * which services stop needing each other, then `drain` ends the rest.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type {
  Answer,
  BusFailure,
  BusOptions,
  Call,
  CompleteBusOptions,
  ConsumeRemoteOptions,
  NudgeReason,
  Reply,
} from './bus-options.ts';
import { NO_METERS } from './call-meters.ts';
import { asConsumer } from './call-spans.ts';
import { Calling, fromHeaders } from './calling.ts';
import type { CallType } from './calls.ts';
import {
  type Change,
  type ChangeHeaders,
  changesSubject,
  FEDERATION_STREAMS,
  federationPlace,
  type LineLengths,
  lineInSubject,
  lineOf,
  NUDGES,
  parseChange,
  partOf,
  type RemoteLine,
  type RemoteNotification,
  type RemoteNotificationHeaders,
  remoteNotificationId,
  STREAMS,
  TREE_PARTS,
  type UserEventHeaders,
  userSubject,
} from './events.ts';
import { answerAll, gather } from './gathering.ts';
import { subjectAt } from './places.ts';
import { allLineLengths, followLine, lineLengths, totalOf } from './remote-lines.ts';
import type {
  Backlog,
  BusMessage,
  BusSubscription,
  CallContext,
  FollowedMessage,
  Following,
  HeldLease,
  Kept,
  ServeOptions,
  Transport,
} from './transport.ts';

const NO_BYTES = new Uint8Array(0);

export class Bus {
  readonly #transport: Transport;
  readonly #options: CompleteBusOptions;
  readonly #calling: Calling;

  constructor(transport: Transport, options: BusOptions = {}) {
    this.#transport = transport;
    this.#options = {
      clock: options.clock ?? Date.now,
      newId: options.newId ?? sequentialIds(),
      log: options.log ?? warn,
      meters: options.meters ?? NO_METERS,
      readRetryPause: options.readRetryPause ?? 100,
      retryAfter: options.retryAfter ?? 1,
      tracer: options.tracer,
    };
    this.#calling = new Calling(transport, this.#options);
  }

  /**
   * Asks one server. The deadline is the context's or the call type's own, whichever comes first. Rejects with
   * `FospError`: the server's own, `timeout` past the deadline, or `unavailable` with `Retry-After` where nobody serves
   * the subject or all who do are at their concurrency.
   */
  call<Q, R>(type: CallType<Q, R>, fields: Q, body?: Uint8Array, context?: Partial<CallContext>): Promise<Reply<R>> {
    return this.#calling.call(type, { fields, body, context });
  }

  /**
   * As `call`, of those who serve it at a place, such as a domain. `undefined` where nobody does so: nothing was done then.
   * All else rejects as `call` does.
   */
  askAt<Q, R>(
    type: CallType<Q, R>,
    place: string,
    fields: Q,
    body?: Uint8Array,
    context?: Partial<CallContext>,
  ): Promise<Reply<R> | undefined> {
    return this.#calling.callAt(type, subjectAt(type, place), { fields, body, context });
  }

  /**
   * As `call`, of the process that has the part of all trees in which this one is, so that what is asked of one tree comes
   * together there; where there is none at the moment, of any that serves the type.
   */
  callNear<Q, R>(
    type: CallType<Q, R>,
    tree: string,
    fields: Q,
    body?: Uint8Array,
    context?: Partial<CallContext>,
  ): Promise<Reply<R>> {
    return this.#calling.callNear(type, subjectAt(type, partOf(tree)), { fields, body, context });
  }

  /** Answers calls of a type, at most `concurrency` at once. Resolves once calls arrive. */
  serve<Q, R>(
    type: CallType<Q, R>,
    handler: (call: Call<Q>) => Promise<Answer<R>>,
    options: ServeOptions,
  ): Promise<BusSubscription> {
    return this.#calling.serve({ type, subject: type.subject }, handler, options);
  }

  /** As `serve`, at a place: see `askAt`. */
  serveAt<Q, R>(
    type: CallType<Q, R>,
    place: string,
    handler: (call: Call<Q>) => Promise<Answer<R>>,
    options: ServeOptions,
  ): Promise<BusSubscription> {
    return this.#calling.serve({ type, subject: subjectAt(type, place) }, handler, options);
  }

  /**
   * Divides the parts of all trees, which are places for `serveAt`, among those who take them: `serve` begins with one that
   * this process has. For a moment two may have a part, or nobody.
   */
  async takeParts(serve: (part: string) => readonly Promise<BusSubscription>[]): Promise<BusSubscription> {
    const work = (part: string) => async (ending: AbortSignal) => {
      const served = await allOrNone(serve(part));
      if (!ending.aborted) {
        await once(ending, 'abort');
      }
      await served.stop();
    };
    const parts = Array.from({ length: TREE_PARTS }, (_, part) => String(part));
    const shared = await Promise.all(
      parts.map((part) => this.#transport.share({ group: 'trees', part, work: work(part) })),
    );
    return together(shared);
  }

  /**
   * Asks all who answer this type by `answerAll`, at most once, and gives what they answered in half the time of a call of it.
   * Nobody knows whether that were all.
   */
  askAll<Q, R>(type: CallType<Q, R>, fields: Q): Promise<Reply<R>[]> {
    return gather(this.#transport, type, { fields, id: this.#options.newId(), milliseconds: type.timeout / 2 });
  }

  /** Answers what `askAll` asks. Resolves once questions arrive. */
  answerAll<Q, R>(type: CallType<Q, R>, handler: (fields: Q) => Promise<Answer<R>>): Promise<BusSubscription> {
    const failed = (error: unknown) => this.#options.log({ subject: type.subject, id: '', error });
    return answerAll(this.#transport, type, { handler, failed });
  }

  /** Tells all sessions of a user, wherever they are, at most once and in order. */
  publishToUser(user: string, headers: UserEventHeaders, body: Uint8Array = NO_BYTES): void {
    this.#transport.publish(userSubject(user), { headers, body });
  }

  /** Resolves once all that was published before is handed over: see `Transport.flushed`. */
  flushed(): Promise<void> {
    return this.#transport.flushed();
  }

  /** Listens for what a user's sessions are told. Resolves once nothing that is published later is missed. */
  onUser(user: string, listener: (headers: UserEventHeaders, body: Uint8Array) => void): Promise<BusSubscription> {
    return this.#transport.subscribe(userSubject(user), (message, subject) => {
      this.#logged(subject, user, () => listener(fromHeaders<UserEventHeaders>(message.headers), message.body));
    });
  }

  /**
   * Adds a change to the stream `changes`; a repeated `sequence` of a tree counts once. `body` is the JSON of a
   * `ChangeEvent`. Resolves once kept, or handled: from then on, and no earlier, the outbox row may go (see `Transport`).
   */
  appendChange(headers: ChangeHeaders, body: Uint8Array): Promise<void> {
    return this.#transport.append(STREAMS.changes, changesSubject(headers.tree), {
      headers,
      body,
      id: changeId(headers),
    });
  }

  /**
   * Takes the changes of one partition (0 … `CHANGE_PARTITIONS` - 1): those of a tree in order, one at a time; a handler
   * that rejects gets the same change again after a pause. At least once, by one process among all with this `consumer`.
   * `appendedAt` is when the stream got it, in milliseconds since the epoch.
   */
  consumeChanges(
    partition: number,
    consumer: string,
    handler: (change: Change, appendedAt: number) => Promise<void>,
  ): Promise<BusSubscription> {
    const subject = `${STREAMS.changes}.${partition}`;
    return this.#transport.consume(STREAMS.changes, {
      consumer,
      subject,
      key: (message) => message.headers['tree'] ?? '',
      handler: async (message) => {
        try {
          const change = parseChange(message);
          await asConsumer(this.#options.tracer, change, () => handler(change, message.appendedAt));
        } catch (error) {
          this.#options.log({ subject, id: changeId(fromHeaders<ChangeHeaders>(message.headers)), error });
          throw error;
        }
      },
    });
  }

  /** How far behind this process is with the partitions of `changes` that it takes: see `Transport.backlogs`. */
  async changeBacklogs(): Promise<readonly Backlog[]> {
    return (await this.#transport.backlogs()).filter(({ stream }) => stream === STREAMS.changes);
  }

  /**
   * Adds a notification for one user of another domain to what waits for that domain; a repeated one counts once. Resolves once
   * kept, or, in process, done (see `Transport.append`), so that its change may count as told.
   */
  appendRemote(domain: string, headers: RemoteNotificationHeaders, body: Uint8Array = NO_BYTES): Promise<void> {
    const { stream, subject } = federationPlace(lineOf(domain, headers));
    return this.#transport.append(stream, subject, { headers, body, id: remoteNotificationId(headers) });
  }

  /**
   * Hands over what waits in a line, in order, a window at a time: `feed` may be given any number of notifications of
   * the same tree at once, and more as `acknowledge` makes room. At least once; whoever holds the domain's lease, and nobody
   * else meanwhile. See `Transport.follow`.
   */
  consumeRemote(
    line: RemoteLine,
    options: ConsumeRemoteOptions,
    feed: (notifications: readonly RemoteNotification[]) => void,
  ): Promise<Following> {
    const told = (messages: readonly FollowedMessage[]) => {
      const notifications = messages.map((message) => ({ ...message, headers: remoteHeaders(message) }));
      this.#logged(line.own, line.domain, () => feed(notifications));
    };
    return followLine(this.#transport, line, { ...options, feed: told });
  }

  /**
   * Takes what waits for all domains, for keeping it elsewhere: those for one user of one tree in order, one at a time; a
   * handler that rejects gets the same one again after a pause. At least once. Not beside `consumeRemote`.
   */
  async consumeAllRemote(
    handler: (domain: string, headers: RemoteNotificationHeaders, body: Uint8Array) => Promise<void>,
  ): Promise<BusSubscription> {
    const consumed = await Promise.all(FEDERATION_STREAMS.map((stream) => this.#consumeStream(stream, handler)));
    return together(consumed);
  }

  /** Domains for which anything waits, of a moment, with how much: see `queueLength`. */
  queueLengths(): Promise<ReadonlyMap<string, LineLengths>> {
    return allLineLengths(this.#transport);
  }

  /** How many notifications wait for a domain, in each line, with those that are handed over and not acknowledged. */
  lineLengths(domain: string): Promise<LineLengths> {
    return lineLengths(this.#transport, domain);
  }

  /** The same in all lines together. */
  async queueLength(domain: string): Promise<number> {
    return totalOf(await this.lineLengths(domain));
  }

  /** Forgets the oldest of what waits in a line, but so much. @returns how many: see `Transport.trim` */
  trimQueue(line: RemoteLine, keep: Kept): Promise<number> {
    const { stream, subject, older } = federationPlace(line);
    return this.#transport.trim(stream, line.own === '' ? older : subject, keep);
  }

  /** Tells whoever talks to a domain that this is worth a try now, and why, and which of ours has it to tell, if that is known. At most once. */
  nudge(domain: string, why: NudgeReason, own = ''): void {
    this.#transport.publish(NUDGES, { headers: { domain, why, own }, body: NO_BYTES });
  }

  /** Listens for nudges, of whatever domain; `own` is `''` where it is not known. */
  onNudge(listener: (domain: string, why: NudgeReason, own: string) => void): Promise<BusSubscription> {
    return this.#transport.subscribe(NUDGES, ({ headers }) => {
      const { domain = '', why, own = '' } = headers;
      this.#logged(NUDGES, domain, () => listener(domain, why === 'heard' ? 'heard' : 'queued', own));
    });
  }

  /** Something that one process does at a time: see `Transport.lease`. */
  lease(name: string): Promise<HeldLease | undefined> {
    return this.#transport.lease(name);
  }

  /** Called when messages to users may have been missed: whoever holds sessions closes them. */
  onGap(listener: (reason: string) => void): void {
    this.#transport.onGap(listener);
  }

  /** Takes nothing more, lets running handlers end, and closes the transport. */
  drain(): Promise<void> {
    return this.#transport.drain();
  }

  #consumeStream(
    stream: string,
    handler: (domain: string, headers: RemoteNotificationHeaders, body: Uint8Array) => Promise<void>,
  ): Promise<BusSubscription> {
    return this.#transport.consume(stream, {
      consumer: 'intake',
      subject: `${stream}.>`,
      key: ({ headers }) => `${headers['tree']} ${headers['user']}`,
      handler: async (message) => {
        const headers = remoteHeaders(message);
        try {
          await handler(lineInSubject(message.subject).domain, headers, message.body);
        } catch (error) {
          this.#options.log({ subject: message.subject, id: remoteNotificationId(headers), error });
          throw error;
        }
      },
    });
  }

  #logged(subject: string, id: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#options.log({ subject, id, error });
    }
  }
}

function together(subscriptions: readonly BusSubscription[]): BusSubscription {
  return {
    stop: async () => {
      await Promise.all(subscriptions.map((subscription) => subscription.stop()));
    },
  };
}

/** Where one does not come about, the others end too. */
async function allOrNone(beginning: readonly Promise<BusSubscription>[]): Promise<BusSubscription> {
  const outcomes = await Promise.allSettled(beginning);
  const begun = together(outcomes.filter((outcome) => outcome.status === 'fulfilled').map(({ value }) => value));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) {
    await begun.stop();
    throw failed.reason;
  }
  return begun;
}

function remoteHeaders(message: BusMessage): RemoteNotificationHeaders {
  return fromHeaders<RemoteNotificationHeaders>(message.headers);
}

function changeId(headers: ChangeHeaders): string {
  return `${headers.tree}/${headers.sequence}`;
}

function sequentialIds(): () => string {
  const prefix = randomBytes(6).toString('base64url');
  let count = 0;
  return () => `${prefix}-${(++count).toString(36)}`;
}

function warn(failure: BusFailure): void {
  const reason =
    failure.error instanceof Error ? (failure.error.stack ?? failure.error.message) : String(failure.error);
  process.emitWarning(`${failure.subject} failed for ${failure.id}: ${reason}`);
}
