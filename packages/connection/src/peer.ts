import {
  encodeRequestHead,
  encodeResponseHead,
  fospError,
  NO_HEADERS,
  type RequestType,
  type ServerRequestType,
} from '@fosp/protocol';
import type { Channel } from './channel.ts';
import { Flow } from './flow.ts';
import { Inbox } from './inbox.ts';
import { DEFAULT_PEER_LIMITS, type PeerOptions } from './options.ts';
import { type PendingRequest, PendingRequests } from './pending-requests.ts';
import { Pings } from './pings.ts';
import type { TimerWheel } from './timer-wheel.ts';
import type {
  FrameKind,
  PeerLimits,
  PeerResponse,
  RequestOptions,
  RespondOptions,
  RespondStreamOptions,
} from './types.ts';

const NO_OPTIONS = Object.freeze({});
/** Larger bodies of our own requests are sent bit by bit, and not counted against the send buffer as a whole. */
const STREAM_FROM_BYTES = 64 * 1024;

/**
 * One FOSP connection, either end: requests of our own and their responses, responses to the other side's requests, and
 * notifications. Made by `openPeer`, `dial` or, in browsers, `connect`.
 *
 * Lifecycle: open from the start; its handler hears nothing before the turn of the event loop in which it was made ends. After
 * `close`, or when the other side ends the connection, what is sent is dropped and `closed` is called once.
 */
export class Peer {
  readonly #channel: Channel;
  readonly #timers: TimerWheel;
  readonly #limits: PeerLimits;
  readonly #pending: PendingRequests;
  readonly #flow: Flow;
  readonly #inbox: Inbox;

  constructor(channel: Channel, options: PeerOptions) {
    const { handler, environment, limits = DEFAULT_PEER_LIMITS } = options;
    this.#channel = channel;
    this.#timers = environment.timers;
    this.#limits = limits;
    this.#pending = new PendingRequests(environment.timers, limits.pendingRequests);
    this.#flow = new Flow(channel, environment, limits);
    this.#inbox = new Inbox({
      handler,
      channel,
      pending: this.#pending,
      flow: this.#flow,
      messageLimit: limits.messageBytes,
    });
    channel.start(this.#inbox);
  }

  get isOpen(): boolean {
    return this.#channel.isOpen;
  }

  /** Bytes that wait to be sent. */
  get bufferedBytes(): number {
    return this.#channel.bufferedBytes;
  }

  /** Requests of our own that wait for their responses. */
  get pendingRequests(): number {
    return this.#pending.size;
  }

  /**
   * Sends a request under a sequence number of our own. FAILED responses resolve too.
   *
   * Rejects with FospError `timeout` without a response in time, `unreachable` when the connection is or gets closed,
   * `too-many` over the bound of pending requests, `too-large` when the response is over its limit, and with what a streamed
   * body throws.
   *
   * @param resource `undefined` for `*`
   */
  request(
    type: RequestType | ServerRequestType,
    resource: { readonly tree: string; readonly path: string } | undefined,
    options: RequestOptions = NO_OPTIONS,
  ): Promise<PeerResponse> {
    return new Promise((resolve, reject) => {
      const refusal = this.isOpen ? this.#pending.refusal() : fospError('unreachable', 'The connection is closed.');
      if (refusal !== undefined) {
        reject(refusal);
        return;
      }
      const { body, headers = NO_HEADERS, timeoutMs = this.#limits.requestTimeoutMs } = options;
      const sequence = this.#pending.nextSequence();
      const hasBody = body !== undefined && (!hasLength(body) || body.length > 0);
      const head = encodeRequestHead(type, resource, sequence, { headers, hasBody });
      const stream = options.stream ?? false;
      const responseBytes = options.responseBytes ?? (stream ? Number.POSITIVE_INFINITY : this.#limits.responseBytes);
      const deadline = Number.POSITIVE_INFINITY;
      const request = { sequence, stream, responseBytes, timeoutMs, deadline, resolve, reject };
      this.#pending.add(request);
      this.#send(request, head, options);
    });
  }

  /** Answers a request. Does nothing when the connection is over. @throws RangeError on a header that must not be sent */
  respond(sequence: number, status: number, options: RespondOptions = NO_OPTIONS): void {
    const { body, headers = NO_HEADERS, frame = 'text' } = options;
    const hasBody = body !== undefined && body.length > 0;
    this.#inbox.answered(sequence);
    this.#channel.send(encodeResponseHead(status, sequence, { headers, hasBody }), hasBody ? body : undefined, frame);
  }

  /**
   * Answers a request with one binary message, sent as the body comes, with back-pressure. What is sent meanwhile waits behind
   * it. Resolves when all was handed to the socket.
   *
   * Rejects with `unreachable` when the connection ends before, else with what the body throws or `internal` when it has
   * another size than announced; then the connection closes with 1011, as the message cannot be completed.
   */
  respondStream(sequence: number, status: number, options: RespondStreamOptions): Promise<void> {
    const { body, size, headers = NO_HEADERS, announced = false } = options;
    this.#inbox.answered(sequence);
    const head = encodeResponseHead(status, sequence, { headers, hasBody: true });
    return this.#channel.sendStream({ head, body, kind: 'binary', size, announced: announced && size !== undefined });
  }

  /** A ready message, such as a notification, as one text frame. */
  sendRaw(message: Uint8Array | string): void {
    this.#channel.send('', message, 'text');
  }

  /**
   * Resolves when the other side answered a ping that was sent behind all messages before it, so that it has read them.
   *
   * Rejects with `unreachable` when the connection is or gets closed, `timeout` without a pong within
   * {@link PeerLimits.requestTimeoutMs}, `too-many` over {@link PeerLimits.pendingPings}. In browsers, which let no program
   * send pings, always with `unreachable`.
   */
  ping(): Promise<void> {
    if (!this.isOpen || this.#channel.sendPing === undefined) {
      const reason = this.isOpen ? 'This connection cannot be pinged.' : 'The connection is closed.';
      return Promise.reject(fospError('unreachable', reason));
    }
    this.#inbox.pings ??= new Pings(
      this.#timers,
      { most: this.#limits.pendingPings, timeoutMs: this.#limits.requestTimeoutMs },
      (payload) => this.#channel.sendPing?.(payload),
    );
    return this.#inbox.pings.ping();
  }

  /** Largest message accepted from now on, in bytes. */
  setMessageLimit(bytes: number): void {
    this.#inbox.messageLimit = bytes;
  }

  /**
   * Takes no more messages until `resume`. What was already read is kept, at most about 64 KiB; a body that streams at the
   * moment still streams to its end. The heartbeat counts from the resume.
   */
  pause(): void {
    this.#flow.pause();
  }

  resume(): void {
    this.#flow.resume();
  }

  /** Starts the closing handshake. From now on no message is delivered; `closed` is called when it is done. */
  close(code: number, reason: string): void {
    this.#channel.close(code, reason);
  }

  #send(request: PendingRequest, head: string, options: RequestOptions): void {
    const { body } = options;
    const kind: FrameKind = options.frame ?? (body === undefined || typeof body === 'string' ? 'text' : 'binary');
    if (body === undefined || typeof body === 'string' || (hasLength(body) && body.length < STREAM_FROM_BYTES)) {
      this.#channel.send(head, body, kind);
      this.#pending.startTimeout(request);
      return;
    }
    const size = hasLength(body) ? body.length : options.size;
    const pieces = hasLength(body) ? once(body) : body;
    const failed = (error: unknown) => this.#pending.reject(request.sequence, error);
    const message = { head, body: pieces, kind, size, announced: size !== undefined, failed };
    this.#channel.sendStream(message).then(() => this.#pending.startTimeout(request), failed);
  }
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

function hasLength(body: string | Uint8Array | AsyncIterable<Uint8Array>): body is string | Uint8Array {
  return typeof body === 'string' || body instanceof Uint8Array;
}
