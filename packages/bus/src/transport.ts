/**
 * What carries calls and events between services: NATS in a cluster, this process in standalone. Both pass the suite in
 * `suite/`. A message is flat string headers and a body of bytes, which is what NATS carries, so that nothing is encoded
 * for the in-process transport that would not be on the wire, and nothing is shared that could not be.
 *
 * Invariants: headers and body are never changed after they were handed over; a handler's answer belongs to the caller.
 */

/** Flat: names in lower case with dashes, values without control characters. */
export type BusHeaders = Readonly<Record<string, string>>;

export interface BusMessage {
  readonly headers: BusHeaders;
  readonly body: Uint8Array;
}

/** A handler's place on a subject; `stop` resolves once no handler of it runs any more. */
export interface BusSubscription {
  stop(): Promise<void>;
}

export interface ServeOptions {
  /** Handlers running at once; a call beyond them is answered `unavailable` at once. */
  readonly concurrency: number;
}

/** What goes with a call beside its message, from the first caller to whoever works for it. */
export interface CallContext {
  /** Milliseconds since the epoch, after which the caller no longer waits and nobody begins the work. */
  readonly deadline: number;
  /** Names the request in every log; printable ASCII. */
  readonly requestId: string;
  /** Of a request that is traced, the span that this call is part of (W3C `traceparent`). */
  readonly trace?: string | undefined;
}

/** Answers one call. Failures are answers too: a rejection reaches the caller as `failed`, without its text. */
export type CallHandler = (message: BusMessage, context: CallContext) => Promise<BusMessage>;

export interface DurableMessage extends BusMessage {
  /** Position in the stream's partition, increasing. */
  readonly position: number;
  readonly subject: string;
  /** Milliseconds since the epoch. */
  readonly appendedAt: number;
}

/** A message of a subject that is followed. */
export interface FollowedMessage extends DurableMessage {
  /** Increasing, durable, and above all that a stream lost or replaced since has had. */
  readonly position: number;
}

/** How much is kept. */
export interface Kept {
  readonly messages: number;
  readonly bytes: number;
}

/** Where older programs appended what is appended to another subject of the same stream now. */
export interface OlderSubject {
  readonly subject: string;
  /** Is a message of it one of those? Others are left to others. */
  readonly isMine: (headers: BusHeaders) => boolean;
}

export interface FollowOptions {
  /** No pattern. */
  readonly subject: string;
  /** Fed as well, in the order of the stream. There is none where the stream does not outlive this process. */
  readonly older?: OlderSubject | undefined;
  /** Messages handed over and not acknowledged. */
  readonly window: number;
  /** Bytes of their bodies; a message larger than that is handed over alone. */
  readonly windowBytes: number;
  /**
   * Handed the next messages, in order, each once but for `rewind`; not before `follow` resolved, nor within a call of what it
   * resolved with. Must not throw.
   */
  readonly feed: (messages: readonly FollowedMessage[]) => void;
}

/** Who follows a subject. `stop` resolves once nothing more is fed, and what was acknowledged is gone, if it can be told so. */
export interface Following extends BusSubscription {
  /** All up to this position are done: they go from the stream, and make room for others. Does nothing after `stop`. */
  acknowledge(position: number): void;
  /** Feeds all that was fed and not acknowledged once more, from the first on, before what comes behind. */
  rewind(): void;
}

/** What this process has yet to handle of a partition that it takes. */
export interface Backlog {
  readonly stream: string;
  /** Of the partition: `ConsumeOptions.subject`. */
  readonly subject: string;
  readonly messages: number;
  /** Of the oldest, or since when nothing comes though something waits; undefined without any. Milliseconds since the epoch. */
  readonly oldestAt: number | undefined;
}

/** Something that one process has at a time. */
export interface HeldLease {
  /** Aborted before anybody else may have it, and when it is released. */
  readonly lost: AbortSignal;
  /** Frees it for others: at once, or where they cannot be told, as if this process had died. */
  release(): Promise<void>;
}

export interface Transport {
  /** Asks one of the subject's servers. Rejects with any `BusError`. */
  request(subject: string, message: BusMessage, context: CallContext): Promise<BusMessage>;
  /** Joins the queue group of a subject: each request goes to one server. Resolves once requests arrive. */
  serve(subject: string, handler: CallHandler, options: ServeOptions): Promise<BusSubscription>;
  /** Tells whoever listens now. At most once; in order per publisher and subject. Throws `too-large` or `closed`. */
  publish(subject: string, message: BusMessage): void;
  /**
   * Resolves once all that was published before has left for whoever listens: what is lost after that is told as a gap where
   * it is missed. Rejects with `closed` where the link broke meanwhile; whether it broke before, `onGap` has told.
   */
  flushed(): Promise<void>;
  /** Listens to one subject, no pattern. Resolves once no later message is missed. */
  subscribe(subject: string, handler: (message: BusMessage, subject: string) => void): Promise<BusSubscription>;
  /**
   * Adds to a durable stream; an `id` seen lately is dropped. Resolves once kept, or handled: where the stream outlives
   * this process, once it is stored; where it does not (in process), once every consumer handled it, which may take as
   * long as a handler keeps failing. So what was appended from may be deleted then, and no earlier. A repeated `id`
   * resolves with the first. Rejects with `overloaded`, `too-large` or `closed`; the message may then be appended again.
   */
  append(stream: string, subject: string, message: BusMessage & { readonly id: string }): Promise<void>;
  /**
   * Takes the messages of one partition of a durable stream in order, by one consumer among all callers with the same
   * `consumer` name. `handler` is called with the next message once it returned for the last one of the same key; a
   * rejection is retried and blocks its key alone. At least once.
   */
  consume(stream: string, options: ConsumeOptions): Promise<BusSubscription>;
  /**
   * Takes the messages of one subject in order, many at a time, each until it is acknowledged, which removes it from the
   * stream; so for streams with one consumer alone. At least once: whoever follows next begins behind the last that was
   * acknowledged, or a little before. One follower at a time: who else might follow is kept away by a lease. It goes on after
   * broken links by itself.
   */
  follow(stream: string, options: FollowOptions): Promise<Following>;
  /** How far behind this process is, for each partition that it takes by `consume` at the moment. For whoever looks on. */
  backlogs(): Promise<readonly Backlog[]>;
  /** The subjects of a durable stream that have messages, or of these one (or a pattern's) alone, with how many. Of a moment, in no order. */
  subjects(stream: string, subject?: string): Promise<ReadonlyMap<string, number>>;
  /**
   * Removes the oldest messages of one subject but so many, and about so many bytes, followed or not. @returns how many. Where the stream does not
   * outlive this process, and appends are refused when much waits, it removes none.
   */
  trim(stream: string, subject: string, keep: Kept): Promise<number>;
  /**
   * A lease by this name (letters, digits, `-`, `_`, `=`, `.`); `undefined` where somebody has it, this process included, or
   * nothing is certain now. Whose process dies or is cut off loses it within the time to live. In process it is always to be had.
   */
  lease(name: string): Promise<HeldLease | undefined>;
  /**
   * Has this process do its part of work that all who share it do between them: see `Shared`. Resolves once it was tried to
   * begin; `stop` ends it here, and resolves once it has ended.
   */
  share(shared: Shared): Promise<BusSubscription>;
  /** Called when messages may have been missed (link lost or overrun): whoever holds sessions closes them. */
  onGap(listener: (reason: string) => void): void;
  /**
   * Takes no more calls, messages and appends (`closed`), lets running handlers end, and closes. Whoever still calls
   * others while its own handlers end stops its subscriptions first.
   */
  drain(): Promise<void>;
}

/** A part of something that living processes divide among them evenly, each part to one of them, by a lease. */
export interface Shared {
  /** Letters, digits, `-`; of one group are the parts that are divided. */
  readonly group: string;
  readonly part: string;
  /** Does this part, until soon after `ending` is aborted: it may be another's by then. */
  readonly work: (ending: AbortSignal) => Promise<void>;
}

export interface ConsumeOptions {
  readonly consumer: string;
  /** A token pattern of subjects (`*` is one token, a last `>` one or more): one partition or one remote domain. */
  readonly subject: string;
  /** Order is kept among messages of one key. */
  readonly key: (message: DurableMessage) => string;
  readonly handler: (message: DurableMessage) => Promise<void>;
}

/** The largest body that is carried either way; leaves room for headers below the 8 MiB of NATS' `max_payload`. */
export const BUS_BODY_BYTES = 8 * 1024 * 1024 - 64 * 1024;

export type BusErrorCode =
  /** Nobody serves the subject: nothing was done. */
  | 'no-responders'
  /** No answer in time, or the link broke before it: the work may be done, half done or never begun. */
  | 'deadline'
  /** Every server is at its concurrency, or the stream at its bound: nothing was done. */
  | 'overloaded'
  /** This end is drained, or its link is down: a call was not made, an append may be kept all the same. */
  | 'closed'
  /** The body of the message, or of its answer, is over `BUS_BODY_BYTES`. */
  | 'too-large'
  /** The handler rejected. */
  | 'failed';

/** A message that was not carried, or a call that got no answer. Recognised by `isBusError`. */
export class BusError extends Error {
  readonly code: BusErrorCode;
  constructor(code: BusErrorCode, message: string) {
    super(message);
    this.name = 'BusError';
    this.code = code;
  }
}

export function isBusError(error: unknown): error is BusError {
  return error instanceof Error && error.name === 'BusError' && 'code' in error;
}
