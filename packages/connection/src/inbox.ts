/**
 * Hands FOSP messages that arrive to the handler, or to the request of ours that they answer.
 *
 * A message that arrives whole, as nearly all do, is decoded and handed on at once; one that comes in pieces is put together
 * by a `PartialMessage`. The body of a request stays reserved in the budget until the request is answered, everything
 * else until it is handed on or taken. What is answered while a message is handed on answers that message: a sequence number
 * that is in use may be refused, and the request that has it still counts.
 *
 * Lifecycle: after `closing` no message comes any more; streams that arrived in full may still be read.
 */
import { decodeHead, fospError, type Head, LIMITS, type ResponseHead } from '@fosp/protocol';
import { IncomingBody, type StreamFeeder } from './body-stream.ts';
import type { Channel, ChannelReceiver } from './channel.ts';
import { CLOSE_CODES, closedError } from './close-codes.ts';
import type { Flow } from './flow.ts';
import { PartialMessage } from './partial-message.ts';
import type { PendingRequest, PendingRequests } from './pending-requests.ts';
import type { Pings } from './pings.ts';
import type { BodyPlan, FrameKind, IncomingRequest, PeerHandler } from './types.ts';

const EMPTY = new Uint8Array(0);
const END_OF_HEAD = 4;
const NONE = -1;
const DROP: BodyPlan = { kind: 'discard' };

export interface InboxDependencies {
  readonly handler: PeerHandler;
  readonly channel: Channel;
  readonly pending: PendingRequests;
  readonly flow: Flow;
  readonly messageLimit: number;
}

/** A message whose head is read: what it is, what becomes of its body, and which request of ours it answers. */
export interface Opened {
  readonly head: Head;
  readonly plan: BodyPlan;
  readonly asked: PendingRequest | undefined;
}

/** What arrived of a body. */
export interface Arrived {
  readonly kind: FrameKind;
  readonly body: Uint8Array;
  readonly stream: IncomingBody | undefined;
  readonly oversized: boolean;
}

export class Inbox implements ChannelReceiver, StreamFeeder {
  readonly #handler: PeerHandler;
  readonly #channel: Channel;
  readonly #pending: PendingRequests;
  readonly #flow: Flow;
  /** Body bytes of unanswered requests by sequence number; made when there is one. */
  #unanswered: Map<number, number> | undefined;
  /** The sequence number of the message that is being handed on and not answered, and the bytes of its body. */
  #handed = NONE;
  #handedBytes = 0;
  #partial: PartialMessage | undefined;
  messageLimit: number;
  /** Made when the first one is sent. */
  pings: Pings | undefined;

  constructor(dependencies: InboxDependencies) {
    this.#handler = dependencies.handler;
    this.#channel = dependencies.channel;
    this.#pending = dependencies.pending;
    this.#flow = dependencies.flow;
    this.messageLimit = dependencies.messageLimit;
  }

  message(kind: FrameKind, bytes: Uint8Array): void {
    if (bytes.length > this.messageLimit) {
      this.tooLarge(bytes);
      return;
    }
    const opened = this.open(bytes, true);
    if (opened === undefined) {
      return;
    }
    const body = bytes.subarray(opened.bodyOffset);
    if (opened.plan.kind === 'stream') {
      this.#wholeStream(kind, opened, body);
    } else {
      const oversized = opened.plan.kind === 'buffer' && body.length > opened.plan.limit;
      const kept = opened.plan.kind === 'discard' || oversized ? EMPTY : body;
      if (opened.head.kind !== 'request' || kept.length === 0 || this.#flow.hold(kept.length)) {
        this.deliver(opened, { kind, body: kept, stream: undefined, oversized });
      }
    }
  }

  begin(kind: FrameKind, size: number | undefined): void {
    this.#partial = new PartialMessage(this, this.#flow, { kind, size });
  }

  piece(bytes: Uint8Array): void {
    this.#partial?.piece(bytes);
  }

  end(): void {
    const partial = this.#partial;
    this.#partial = undefined;
    partial?.end();
  }

  pong(payload: Uint8Array): void {
    this.pings?.answered(payload);
  }

  kept(bytes: number): void {
    this.#flow.keep(bytes);
  }

  closing(code: number, reason: string): void {
    const error = closedError(code, reason);
    const partial = this.#partial;
    this.#partial = undefined;
    partial?.abort(error);
    this.#unanswered = undefined;
    this.#flow.shut();
    this.#pending.rejectAll(error);
    this.pings?.rejectAll(error);
  }

  closed(code: number, reason: string): void {
    this.#handler.closed(code, reason);
  }

  taken(bytes: number): void {
    this.#flow.releaseStream(bytes);
  }

  cancelled(stream: IncomingBody): void {
    this.#partial?.dropBody(stream);
  }

  /** The request is answered: its body counts no longer. */
  answered(sequence: number): void {
    this.#partial?.answered(sequence);
    const held = this.#unanswered?.get(sequence) ?? 0;
    const bytes = sequence === this.#handed ? this.#handedBytes : held;
    if (sequence === this.#handed) {
      this.#handed = NONE;
    }
    if (bytes > 0) {
      if (bytes < held) {
        this.#unanswered?.set(sequence, held - bytes);
      } else {
        this.#unanswered?.delete(sequence);
      }
      this.#flow.release(bytes);
    }
  }

  /** Reads the head, and asks its owner what becomes of the body. Undefined where there is nothing to go on with. */
  open(bytes: Uint8Array, complete: boolean): (Opened & { readonly bodyOffset: number }) | undefined {
    const decoded = decodeHead(bytes, complete);
    if (decoded.kind !== 'head') {
      const sequence = decoded.kind === 'malformed' ? decoded.sequence : 0;
      const text = decoded.kind === 'malformed' ? decoded.message : 'the head does not end';
      this.#handOn(sequence, 0, text);
      return undefined;
    }
    const { head, bodyOffset } = decoded;
    if (head.kind === 'response') {
      const asked = this.#asked(head);
      return { head, bodyOffset, asked, plan: asked === undefined ? DROP : planOf(head, asked) };
    }
    const plan = this.#handler.plan(head);
    if (!this.#channel.isOpen) {
      return undefined;
    }
    const noStream = head.kind === 'notification' && plan.kind === 'stream';
    return { head, bodyOffset, asked: undefined, plan: noStream ? { kind: 'buffer', limit: plan.limit } : plan };
  }

  /** Hands a message on. The bytes of a request's body are held already. */
  deliver(opened: Opened, arrived: Arrived): void {
    const { head, asked } = opened;
    const { body, stream, oversized } = arrived;
    if (head.kind === 'request') {
      if (body.length > 0) {
        this.#unanswered ??= new Map();
        this.#unanswered.set(head.sequence, (this.#unanswered.get(head.sequence) ?? 0) + body.length);
      }
      this.#handOn(head.sequence, body.length, { head, body, stream, frame: arrived.kind, oversized });
    } else if (oversized) {
      const text = 'The body of this message is over its limit.';
      if (head.kind === 'notification') {
        this.#handler.malformed(0, text, head);
      }
      asked?.reject(fospError('too-large', text));
    } else if (head.kind === 'notification') {
      this.#handler.notification({ head, body });
    } else {
      asked?.resolve({ head, body, stream });
    }
  }

  /** The message that begins so is over the limit. */
  tooLarge(bytes: Uint8Array): void {
    const start = decodeHead(bytes.subarray(0, LIMITS.headBytes + END_OF_HEAD), false);
    this.refuse(start.kind === 'head' ? start.head : undefined);
  }

  /** The message with this head, not answered yet, is over the limit. */
  refuse(head: Head | undefined): void {
    this.#handler.tooLarge(head?.kind === 'request' ? head : undefined);
    this.closeTooLarge();
  }

  closeTooLarge(): void {
    this.#channel.close(CLOSE_CODES.tooLarge.code, `a message may have ${this.messageLimit} bytes`);
  }

  /** A request, or what is wrong with a message. A handler that resumes the peer may be handed the next one within. */
  #handOn(sequence: number, bytes: number, message: IncomingRequest | string): void {
    const outer = this.#handed;
    const outerBytes = this.#handedBytes;
    this.#handed = sequence;
    this.#handedBytes = bytes;
    if (typeof message === 'string') {
      this.#handler.malformed(sequence, message);
    } else {
      this.#handler.request(message);
    }
    this.#handed = outer;
    this.#handedBytes = outerBytes;
  }

  #wholeStream(kind: FrameKind, opened: Opened, body: Uint8Array): void {
    const stream = new IncomingBody(body.length, this);
    if (opened.plan.kind === 'stream' && body.length > opened.plan.limit) {
      stream.fail(fospError('too-large', `The body is over ${opened.plan.limit} bytes.`));
    } else if (this.#flow.holdStream(body.length)) {
      stream.push(body);
      stream.finish();
    } else {
      return;
    }
    this.deliver(opened, { kind, body: EMPTY, stream, oversized: false });
  }

  #asked(head: ResponseHead): PendingRequest | undefined {
    const asked = this.#pending.take(head);
    if (asked === undefined) {
      this.#handler.unknownResponse?.(head);
    }
    return asked;
  }
}

function planOf(head: ResponseHead, asked: PendingRequest): BodyPlan {
  const kind = asked.stream && head.type === 'SUCCEEDED' ? 'stream' : 'buffer';
  return { kind, limit: asked.responseBytes };
}
