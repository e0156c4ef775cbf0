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

export interface RequestOptions {
  /** Milliseconds since the epoch, after which the caller no longer waits and nobody begins the work. */
  readonly deadline: number;
}

export interface DurableMessage extends BusMessage {
  /** Position in the stream's partition, increasing. */
  readonly position: number;
  readonly subject: string;
}

export interface Transport {
  /** Asks one of the subject's servers. Rejects with `BusError` `no-responders`, `deadline`, `overloaded` or `closed`. */
  request(subject: string, message: BusMessage, options: RequestOptions): Promise<BusMessage>;
  /** Joins the queue group of a subject: each request goes to one server. Resolves once requests arrive. */
  serve(subject: string, handler: (message: BusMessage) => Promise<BusMessage>, options: ServeOptions): Promise<BusSubscription>;
  /** Tells whoever listens now. At most once; in order per publisher and subject. */
  publish(subject: string, message: BusMessage): void;
  /** Listens. Resolves once no later message is missed. */
  subscribe(subject: string, handler: (message: BusMessage, subject: string) => void): Promise<BusSubscription>;
  /** Adds to a durable stream; an `id` seen before is dropped. Resolves once kept. */
  append(stream: string, subject: string, message: BusMessage & { readonly id: string }): Promise<void>;
  /**
   * Takes the messages of one partition of a durable stream in order, by one consumer among all callers with the same
   * `consumer` name. `handler` is called with the next message once it returned for the last one of the same key; a
   * rejection is retried and blocks its key alone. At least once.
   */
  consume(stream: string, options: ConsumeOptions): Promise<BusSubscription>;
  /** Called when messages may have been missed (link lost or overrun): whoever holds sessions closes them. */
  onGap(listener: (reason: string) => void): void;
  /** Stops taking calls, lets running ones end, and closes. */
  drain(): Promise<void>;
}

export interface ConsumeOptions {
  readonly consumer: string;
  /** A token pattern of subjects, one partition or one remote domain. */
  readonly subject: string;
  /** Order is kept among messages of one key. */
  readonly key: (message: DurableMessage) => string;
  readonly handler: (message: DurableMessage) => Promise<void>;
}

export type BusErrorCode = 'no-responders' | 'deadline' | 'overloaded' | 'closed' | 'too-large';

/** A call that got no answer. Recognised by `code`, also where it crossed a process. */
export class BusError extends Error {
  readonly code: BusErrorCode;
  constructor(code: BusErrorCode, message: string) {
    super(message);
    this.name = 'BusError';
    this.code = code;
  }
}
