/**
 * What one connection sends: messages, control frames, and messages whose body is still coming.
 *
 * While a message is streamed, whole messages wait behind it; control frames go between its fragments, but cannot within a
 * frame that was announced with its size. When more waits than the limit allows, the owner is told.
 *
 * Lifecycle: open until `finish`, which lets a close frame follow what is there and nothing after it; then `end`, `destroy`.
 */
import type { Duplex } from 'node:stream';
import { fospError } from '@fosp/protocol';
import type { StreamedMessage } from './channel.ts';
import { OPCODE } from './frame-header.ts';
import { type Frame, FrameWriter } from './frame-writer.ts';
import type { PeerEnvironment } from './options.ts';
import { SendQueue } from './send-queue.ts';
import type { Role } from './types.ts';

/** Fragments of a streamed message are no larger, so that control frames can go between them. */
const FRAGMENT_BYTES = 64 * 1024;
/** How far the source of a streamed message may be ahead of its reader. */
const AHEAD_BYTES = 128 * 1024;

export interface OutboxOptions {
  readonly role: Role;
  readonly environment: PeerEnvironment;
  readonly limitBytes: number;
  /** Too much waits to be sent. */
  overflow(reason: string): void;
  /** A message that has begun cannot be completed. */
  broken(reason: string): void;
}

/** How far a streamed message is. */
interface Progress {
  bytes: number;
  begun: boolean;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #queue: SendQueue;
  #isOpen = true;
  /** Set while a message is streamed: what waits behind it. */
  #behind: FrameWriter | undefined;
  #source: AsyncIterator<Uint8Array> | undefined;
  #isMidFrame = false;
  /** Messages that wait for their turn to be streamed. */
  #turns: (() => void)[] = NO_TURNS;

  constructor(socket: Duplex, options: OutboxOptions) {
    this.#options = options;
    this.#queue = new SendQueue(socket, options);
  }

  /** Bytes that wait to be sent. */
  get bytes(): number {
    return this.#queue.bytes + (this.#behind?.bytes ?? 0);
  }

  /** Since when the socket has not taken what it was given; undefined when it has. */
  get stalledSince(): number | undefined {
    return this.#queue.stalledSince;
  }

  /** When the socket last took something that had to wait. */
  get takenAt(): number {
    return this.#queue.takenAt;
  }

  /** Whether a frame was announced that is not complete, and so nothing else can be sent. */
  get isMidFrame(): boolean {
    return this.#isMidFrame;
  }

  /** Sends one frame which is a message, or a control frame, which overtakes messages that wait behind a streamed one. */
  frame(opcode: number, head: string, body: string | Uint8Array | undefined): void {
    this.#write({ opcode, fin: true, head, body }, opcode < OPCODE.close || this.#isMidFrame);
  }

  /** Sends a ping that overtakes nothing: what was sent before it was read when it is answered. */
  ping(payload: Uint8Array): void {
    this.#write({ opcode: OPCODE.ping, fin: true, head: '', body: payload }, true);
  }

  /** Sends one message as its body comes. */
  async stream(message: StreamedMessage): Promise<void> {
    const source = message.body[Symbol.asyncIterator]();
    const progress = { bytes: 0, begun: false };
    try {
      await this.#turn(source);
      await this.#pump(message, source, progress);
    } catch (error) {
      stopSource(source);
      message.failed?.(error);
      if (progress.begun && this.#isOpen) {
        this.#options.broken('a body could not be sent to its end');
      }
      throw error;
    } finally {
      if (this.#source === source) {
        this.#endStream();
      }
    }
  }

  /**
   * Nothing more is sent but this close frame. A streamed message is broken off, and what waits behind it dropped.
   *
   * @returns false where that leaves an unfinished frame, and so no close frame can be sent
   */
  finish(payload: Uint8Array): boolean {
    if (this.#isOpen) {
      this.#isOpen = false;
      if (!this.#isMidFrame) {
        this.#queue.writer.write({ opcode: OPCODE.close, fin: true, head: '', body: payload }, true);
        this.#queue.wrote();
      }
      if (this.#source !== undefined) {
        stopSource(this.#source);
      }
      this.#queue.release();
      for (const turn of this.#turns.splice(0)) {
        turn();
      }
    }
    return !this.#isMidFrame;
  }

  /** Ends the socket when everything is sent. */
  end(): void {
    this.#queue.end();
  }

  /** The socket is gone. */
  destroy(): void {
    this.#queue.destroy();
  }

  #write(frame: Frame, inTurn: boolean): void {
    if (!this.#isOpen) {
      return;
    }
    if (this.bytes > this.#options.limitBytes) {
      this.#options.overflow('what was sent is not read');
      return;
    }
    const waits = inTurn && this.#behind !== undefined;
    const writer = waits ? (this.#behind ?? this.#queue.writer) : this.#queue.writer;
    writer.write(frame, waits || this.#queue.isBehind);
    this.#queue.wrote();
  }

  async #pump(message: StreamedMessage, source: AsyncIterator<Uint8Array>, progress: Progress): Promise<void> {
    const { size } = message;
    this.#assertOpen();
    for (let step = await source.next(); step.done !== true; step = await source.next()) {
      const bytes = step.value;
      this.#assertOpen();
      progress.bytes += bytes.length;
      assertSize(progress.bytes <= (size ?? progress.bytes), size);
      for (let at = 0; at < bytes.length; at += FRAGMENT_BYTES) {
        this.#sendPiece(message, bytes.subarray(at, at + FRAGMENT_BYTES), progress);
        if (this.#queue.bytes > AHEAD_BYTES) {
          await this.#queue.room();
          this.#assertOpen();
        }
      }
    }
    this.#assertOpen();
    assertSize(progress.bytes === (size ?? progress.bytes), size);
    if (this.#isMidFrame) {
      this.#isMidFrame = false;
    } else {
      this.#fragment(message, { fin: true, body: undefined }, progress);
    }
  }

  #sendPiece(message: StreamedMessage, body: Uint8Array, progress: Progress): void {
    if (!message.announced || message.size === undefined) {
      this.#fragment(message, { fin: false, body }, progress);
      return;
    }
    const { writer } = this.#queue;
    if (!progress.begun) {
      writer.announce({ opcode: OPCODE[message.kind], head: message.head, bodyBytes: message.size });
      progress.begun = true;
      this.#isMidFrame = true;
    }
    writer.proceed(body);
    this.#queue.wrote();
  }

  #fragment(message: StreamedMessage, part: { fin: boolean; body: Uint8Array | undefined }, progress: Progress): void {
    const opcode = progress.begun ? OPCODE.continuation : OPCODE[message.kind];
    const head = progress.begun ? '' : message.head;
    this.#queue.writer.write({ opcode, head, ...part }, this.#queue.isBehind);
    progress.begun = true;
    this.#queue.wrote();
  }

  /** Resolves when no other message is streamed, and takes its place. */
  async #turn(source: AsyncIterator<Uint8Array>): Promise<void> {
    while (this.#behind !== undefined && this.#isOpen) {
      await new Promise<void>((resolve) => {
        if (this.#turns === NO_TURNS) {
          this.#turns = [];
        }
        this.#turns.push(resolve);
      });
    }
    this.#assertOpen();
    this.#behind = new FrameWriter(this.#options.role);
    this.#source = source;
  }

  #endStream(): void {
    const behind = this.#behind;
    this.#behind = undefined;
    this.#source = undefined;
    if (behind !== undefined && this.#isOpen) {
      this.#queue.writer.adopt(behind);
      this.#queue.wrote();
    }
    this.#turns.shift()?.();
  }

  #assertOpen(): void {
    if (!this.#isOpen) {
      throw fospError('unreachable', 'The connection closed.');
    }
  }
}

/** What an outbox has that never streamed two messages at once, as nearly all: it costs no memory. */
const NO_TURNS: (() => void)[] = [];

function assertSize(fits: boolean, size: number | undefined): void {
  if (!fits) {
    throw fospError('internal', `A body has another size than the ${size} bytes announced.`);
  }
}

/** Lets a source that is not read to its end clean up; what it thinks of that is nobody's business. */
function stopSource(source: AsyncIterator<Uint8Array>): void {
  source.return?.().catch(() => {});
}
