import { type FospError, fospError, LIMITS } from '@fosp/protocol';
import { IncomingBody } from './body-stream.ts';
import type { Flow } from './flow.ts';
import type { Inbox, Opened } from './inbox.ts';
import { PieceQueue } from './piece-queue.ts';
import type { FrameKind } from './types.ts';

const EMPTY = new Uint8Array(0);
const CR = 13;
const LF = 10;

/**
 * One message that arrives in pieces: first its head, kept until it is complete or over its limit, then its body, buffered,
 * streamed or dropped as the owner of the head decides.
 *
 * Lifecycle: pieces, then `end` or `abort`. What is buffered is held in the budget; a request takes that along.
 */
export class PartialMessage {
  readonly #inbox: Inbox;
  readonly #flow: Flow;
  readonly #kind: FrameKind;
  /** Bytes of the whole message, where announced. */
  readonly #size: number | undefined;
  #received = 0;
  /** What came of the head. */
  #head: Uint8Array = EMPTY;
  #opened: Opened | undefined;
  #phase: 'head' | 'buffer' | 'stream' | 'drop' = 'head';
  #body = 0;
  #pieces: PieceQueue | undefined;
  #stream: IncomingBody | undefined;
  #oversized = false;
  #answered = false;

  constructor(inbox: Inbox, flow: Flow, frame: { kind: FrameKind; size: number | undefined }) {
    this.#inbox = inbox;
    this.#flow = flow;
    this.#kind = frame.kind;
    this.#size = frame.size;
    flow.begin();
  }

  piece(bytes: Uint8Array): void {
    this.#received += bytes.length;
    this.#flow.progress(bytes.length);
    if (this.#phase === 'head') {
      this.#headPiece(bytes);
    } else if (this.#received > this.#inbox.messageLimit) {
      this.#tooLarge();
    } else {
      this.#bodyPiece(bytes);
    }
  }

  end(): void {
    if (this.#phase === 'head') {
      this.#open(true);
    }
    const pieces = this.#pieces;
    this.#pieces = undefined;
    this.#flow.end();
    this.#stream?.finish();
    if (this.#opened !== undefined && this.#stream === undefined) {
      const body = pieces?.concat() ?? EMPTY;
      if (this.#opened.head.kind !== 'request') {
        this.#flow.release(body.length);
      }
      this.#inbox.deliver(this.#opened, { kind: this.#kind, body, stream: undefined, oversized: this.#oversized });
    }
  }

  /** The connection ends before the message does. */
  abort(error: FospError): void {
    this.#stream?.fail(error);
    this.#opened?.asked?.reject(error);
  }

  /** A request of this number is answered: this one, where its stream was handed on. */
  answered(sequence: number): void {
    const head = this.#opened?.head;
    this.#answered ||= this.#stream !== undefined && head?.kind === 'request' && head.sequence === sequence;
  }

  /** The reader of the stream wants no more of it. */
  dropBody(stream: IncomingBody): void {
    if (stream === this.#stream) {
      this.#drop();
    }
  }

  #headPiece(bytes: Uint8Array): void {
    const known = this.#head.length;
    const part = bytes.subarray(0, LIMITS.headBytes + 4 - known);
    if (!this.#flow.hold(part.length)) {
      return;
    }
    this.#head = known === 0 ? part : joined(this.#head, part);
    if (!hasEndOfHead(this.#head, known) && this.#head.length <= LIMITS.headBytes) {
      this.#head = known === 0 ? part.slice() : this.#head;
      return;
    }
    const bodyOffset = this.#open(false);
    if (bodyOffset !== undefined && bytes.length > bodyOffset - known) {
      this.#bodyPiece(bytes.subarray(bodyOffset - known));
    }
  }

  /** Reads the head from what came of it. @returns where in it the body begins, if there is anything to do with that */
  #open(complete: boolean): number | undefined {
    const bytes = this.#head;
    this.#head = EMPTY;
    this.#flow.release(bytes.length);
    if ((this.#size ?? this.#received) > this.#inbox.messageLimit) {
      this.#phase = 'drop';
      this.#inbox.tooLarge(bytes);
      return undefined;
    }
    const opened = this.#inbox.open(bytes, complete);
    if (opened === undefined) {
      this.#drop();
      return undefined;
    }
    this.#opened = opened;
    this.#begin(opened, this.#size === undefined ? undefined : this.#size - opened.bodyOffset);
    return opened.bodyOffset;
  }

  #begin(opened: Opened, size: number | undefined): void {
    const { plan } = opened;
    if (plan.kind === 'discard') {
      this.#drop();
    } else if (plan.kind === 'buffer') {
      this.#phase = 'buffer';
      this.#pieces = new PieceQueue();
      this.#checkLimit(size ?? 0);
    } else {
      this.#phase = 'stream';
      this.#flow.pass();
      this.#stream = new IncomingBody(size, this.#inbox);
      this.#checkLimit(size ?? 0);
      this.#inbox.deliver(opened, { kind: this.#kind, body: EMPTY, stream: this.#stream, oversized: false });
    }
  }

  #bodyPiece(bytes: Uint8Array): void {
    this.#body += bytes.length;
    this.#checkLimit(this.#body);
    if (this.#phase === 'buffer' && this.#flow.hold(bytes.length)) {
      this.#pieces?.push(bytes);
      this.#flow.grown(this.#body);
    } else if (this.#phase === 'stream' && this.#flow.holdStream(bytes.length)) {
      this.#stream?.push(bytes);
    }
  }

  /** Gives the body up when it has, or is going to have, more bytes than planned. */
  #checkLimit(bytes: number): void {
    const plan = this.#opened?.plan;
    if (plan === undefined || plan.kind === 'discard' || bytes <= plan.limit || this.#phase === 'drop') {
      return;
    }
    this.#stream?.fail(fospError('too-large', `The body is over ${plan.limit} bytes.`));
    this.#oversized = true;
    this.#drop();
  }

  #drop(): void {
    this.#phase = 'drop';
    this.#flow.release(this.#pieces?.bytes ?? 0);
    this.#pieces = undefined;
    this.#flow.pass();
  }

  #tooLarge(): void {
    const error = fospError('too-large', `The message is over ${this.#inbox.messageLimit} bytes.`);
    this.#phase = 'drop';
    this.#stream?.fail(error);
    this.#opened?.asked?.reject(error);
    if (this.#answered) {
      this.#inbox.closeTooLarge();
    } else {
      this.#inbox.refuse(this.#opened?.head);
    }
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** Whether the empty line that ends a head is there; all before `from` was looked at before. */
function hasEndOfHead(bytes: Uint8Array, from: number): boolean {
  let at = bytes.indexOf(LF, Math.max(3, from));
  while (at >= 0) {
    if (bytes[at - 1] === CR && bytes[at - 2] === LF && bytes[at - 3] === CR) {
      return true;
    }
    at = bytes.indexOf(LF, at + 1);
  }
  return false;
}
