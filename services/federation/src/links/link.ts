/**
 * One open link that we dialled, and are logged in on: our requests and notifications go out over it, and what comes from
 * the other side on its own account is served as on a link that it dialled (PROTOCOL §9).
 *
 * Invariants: who is at the other end was settled by dialling it; a link on which a request got no answer in time, nor any
 * other one since, counts as dead. Lifecycle: `open` to `closed`.
 */
import type { Peer, PeerResponse, RequestOptions } from '@fosp/connection';
import { type LinkExtensions, STATUS_CODE } from '@fosp/exchange';
import {
  domainOf,
  encodeRequestHead,
  fospError,
  type Headers,
  isFospError,
  LIMITS,
  type RequestType,
  type ServerRequestType,
} from '@fosp/protocol';
import { type Span, type SpanDetails, traced } from '@fosp/runtime';
import type { LinkEar, LinkEnd } from './link-ear.ts';

export interface LinkFacts {
  /** Names it in the log. */
  readonly id: string;
  /** `wss://realworld.lit:1338/`. */
  readonly url: string;
  readonly extensions: LinkExtensions;
  /** Requests of one user that the other side takes at a time, where it says so. */
  readonly requests: number | undefined;
  /** Bytes of one message that the other side takes, where it says so. */
  readonly message: number | undefined;
  /** Milliseconds since the epoch. */
  readonly openedAt: number;
  /** Seconds without any answer, while one is waited for, after which the link counts as dead. */
  readonly patience: number;
}

export interface Target {
  readonly tree: string;
  readonly path: string;
}

export interface AskOptions extends RequestOptions {
  readonly timeoutMs: number;
  readonly stream?: never;
  /** What whoever asked is told, where there is no answer. */
  readonly failure: (error: unknown) => unknown;
}

interface Sent {
  readonly type: RequestType | ServerRequestType;
  readonly target: Target | undefined;
  readonly options: RequestOptions & Partial<Pick<AskOptions, 'failure'>>;
  /** The second by which the answer is due to have come to its end. */
  readonly due: number | undefined;
}

/** A request that is not sent yet. */
export interface Sized {
  readonly headers: Headers;
  /** Of its body. */
  readonly bytes: number;
}

/** What a head may have beside: the rest of its number, and which trace it is part of. */
const ADDED_BYTES = 128;

/** For the rest of an answer whose head came at the last moment. */
const ANSWER_MS = 1000;

export class Link {
  readonly facts: LinkFacts;
  readonly #peer: Peer;
  readonly #ear: LinkEar;
  /** How many answers are due to have come to their end, by the second in which they are. */
  readonly #due = new Map<number, number>();
  #watching: NodeJS.Timeout | undefined;
  #answers = 0;
  #isClosedByUs = false;
  #isLeft = false;

  constructor(facts: LinkFacts, peer: Peer, ear: LinkEar) {
    this.facts = facts;
    this.#peer = peer;
    this.#ear = ear;
  }

  /** Whether anything may be sent over it. */
  get isOpen(): boolean {
    return this.#peer.isOpen && !this.#isLeft;
  }

  /** The other side said that it is about to close it. */
  get isLeft(): boolean {
    return this.#isLeft;
  }

  get isClosedByUs(): boolean {
    return this.#isClosedByUs;
  }

  /** Was it of any use? */
  get hasAnswered(): boolean {
    return this.#answers > 0;
  }

  /** Resolves when it is over, with why. */
  get closed(): Promise<LinkEnd> {
    return this.#ear.ended;
  }

  /** Bytes that wait to be sent. */
  get bufferedBytes(): number {
    return this.#peer.bufferedBytes;
  }

  /** Messages that the other side sent on its own account. */
  get heard(): number {
    return this.#ear.heard;
  }

  /**
   * To be asked before what has a body is sent: a server closes links for a message that is too large (1009), and nobody would
   * know any more what became of all that others asked over this one. One that does not say what it takes may do so all the same.
   *
   * @throws FospError `too-large`
   */
  assertTakes(type: RequestType, target: Target, { headers, bytes }: Sized): void {
    const { message = Number.POSITIVE_INFINITY } = this.facts;
    if (bytes === 0 || bytes + LIMITS.headBytes <= message) {
      return;
    }
    const head = encodeRequestHead(type, target, 1, { headers, hasBody: true });
    if (Buffer.byteLength(head) + ADDED_BYTES + bytes > message) {
      const text = `The servers of ${domainOf(target.tree)} take messages of ${message} bytes at most.`;
      throw fospError('too-large', text);
    }
  }

  /** See `Peer.request`, where no body streams: of the answer not the head alone must come in time. */
  ask(type: RequestType | ServerRequestType, target: Target, options: AskOptions): Promise<PeerResponse> {
    const due = Math.ceil((performance.now() + options.timeoutMs + ANSWER_MS) / 1000);
    this.#due.set(due, (this.#due.get(due) ?? 0) + 1);
    this.#watching ??= setInterval(() => this.#closeIfEndless(), ANSWER_MS);
    return this.#send({ type, target, options, due });
  }

  /** See `Peer.request`. */
  request(
    type: RequestType | ServerRequestType,
    target: Target | undefined,
    options: RequestOptions,
  ): Promise<PeerResponse> {
    return this.#send({ type, target, options, due: undefined });
  }

  /** A whole notification. */
  notify(message: Uint8Array): void {
    this.#peer.sendRaw(message);
  }

  /** Resolves once all that was sent before is read. */
  ping(): Promise<void> {
    return this.#peer.ping();
  }

  /** Nothing more is sent over it, but what was asked is still answered. */
  leave(): void {
    this.#isLeft = true;
  }

  /** Has the other side's requests answered that are in flight, takes no more, and closes. */
  retire(): void {
    this.#isClosedByUs = true;
    this.#ear.retire();
  }

  close(code: number, reason: string): void {
    this.#isClosedByUs = true;
    this.#peer.close(code, reason);
  }

  #send(sent: Sent): Promise<PeerResponse> {
    return traced(
      () => spanOf(sent.type, this.facts),
      (span) => this.#sendFor(span, sent),
    );
  }

  #sendFor(span: Span | undefined, { type, target, options, due }: Sent): Promise<PeerResponse> {
    const [before, since] = [this.#answers, performance.now()];
    return this.#peer.request(type, target, this.#withTrace(span, options)).then(
      (response) => {
        this.#answers++;
        this.#ended(due);
        span?.set({ [STATUS_CODE]: response.head.status });
        return response;
      },
      (error: unknown) => {
        this.#ended(due);
        const isSilent = this.#answers === before && performance.now() - since >= this.facts.patience * 1000;
        if (isSilent && isFospError(error) && error.code === 'timeout') {
          this.#peer.close(1008, 'Requests on this link are not answered.');
        }
        throw options.failure?.(error) ?? error;
      },
    );
  }

  /** Which span this is part of is told to nobody but those with whom traces are shared. */
  #withTrace(span: Span | undefined, options: RequestOptions): RequestOptions {
    return span === undefined || !this.facts.extensions.trace
      ? options
      : { ...options, headers: { ...options.headers, Traceparent: span.context } };
  }

  #ended(due: number | undefined): void {
    if (due === undefined) {
      return;
    }
    const others = (this.#due.get(due) ?? 1) - 1;
    if (others > 0) {
      this.#due.set(due, others);
    } else {
      this.#due.delete(due);
    }
  }

  /** One timer for all that is asked; nearly all of it is answered long before. */
  #closeIfEndless(): void {
    if (this.#due.size === 0) {
      clearInterval(this.#watching);
      this.#watching = undefined;
    } else if (Math.min(...this.#due.keys()) * 1000 < performance.now()) {
      this.#peer.close(1008, 'An answer on this link does not come to its end.');
    }
  }
}

function spanOf(type: string, { url }: LinkFacts): SpanDetails {
  const attributes = { 'rpc.system.name': 'fosp', 'rpc.method': type, 'server.address': new URL(url).hostname };
  return { name: type, kind: 'client', attributes };
}
