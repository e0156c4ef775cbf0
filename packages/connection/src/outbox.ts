/**
 * What one connection sends over its socket.
 *
 * Frames of one turn of the event loop leave together when it ends, or earlier when there are 64 KiB. The socket gets one
 * portion at a time: as long as it takes them at once there is no end to it, else the rest waits here, where it is counted exactly.
 * Over the limit, or when a portion is not taken within `sendSeconds`, the owner is told.
 *
 * While a message is streamed, control frames go between its fragments and whole messages wait behind it.
 *
 * Lifecycle: open → `finish` (a close frame behind what is there, nothing after it) → `end` → `destroy`.
 */
import type { Duplex } from 'node:stream';
import { fospError } from '@fosp/protocol';
import type { TransferBudget } from './budget.ts';
import type { StreamedMessage } from './channel.ts';
import { OPCODE } from './frame-header.ts';
import { FrameWriter } from './frame-writer.ts';
import type { PeerEnvironment } from './options.ts';
import type { TimerWheel } from './timer-wheel.ts';
import type { Role } from './types.ts';

const PORTION_BYTES = 64 * 1024;
/** Fragments of a streamed message are no larger, so that control frames can go between them. */
const FRAGMENT_BYTES = 64 * 1024;
const STREAM_AHEAD_BYTES = 128 * 1024;

export interface OutboxOptions {
  readonly role: Role;
  readonly environment: PeerEnvironment;
  readonly limitBytes: number;
  /** Too much waits to be sent. */
  overflow(reason: string): void;
  /** A streamed message cannot be completed. */
  broken(reason: string): void;
}

export class Outbox {
  readonly #socket: Duplex;
  readonly #options: OutboxOptions;
  readonly #budget: TransferBudget;
  readonly #timers: TimerWheel;
  readonly #writer: FrameWriter;
  #state: 'open' | 'finished' | 'ending' | 'ended' = 'open';
  /** Pieces taken from the writer, and which is the next to go. */
  #queue: Uint8Array[] = [];
  #next = 0;
  #queued = 0;
  /** The portion that the socket did not take at once, and since when. */
  #inSocket = 0;
  #inSocketSince = 0;
  #scheduled = false;
  /** What of `bytes` is counted in the budget. */
  #counted = 0;
  /** Messages that wait behind the one that is streamed. */
  #behind: FrameWriter | undefined;
  #source: AsyncIterator<Uint8Array> | undefined;
  #turns: (() => void)[] | undefined;
  #room: (() => void) | undefined;
  readonly #written = (): void => this.#afterWrite();

  constructor(socket: Duplex, options: OutboxOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#budget = options.environment.budget;
    this.#timers = options.environment.timers;
    this.#writer = new FrameWriter(options.role);
  }

  /** Bytes that wait to be sent. */
  get bytes(): number {
    return this.#ready + (this.#behind?.bytes ?? 0);
  }

  /** Since when the socket has not taken what it was given; undefined when it has. */
  get stalledSince(): number | undefined {
    return this.#inSocket > 0 ? this.#inSocketSince : undefined;
  }

  /** One frame, at once or, unless it is a control frame, behind the message that is streamed. */
  frame(opcode: number, head: string, body: string | Uint8Array | undefined): void {
    if (this.#state !== 'open') {
      return;
    }
    if (this.bytes > this.#options.limitBytes) {
      this.#options.overflow('what was sent is not read');
      return;
    }
    const control = opcode >= OPCODE.close;
    const writer = control ? this.#writer : (this.#behind ?? this.#writer);
    writer.write({ opcode, fin: true, head, body }, this.#inSocket > 0 || writer === this.#behind);
    this.#wrote();
  }

  /** Sends one message in fragments, as its body comes. */
  async stream(message: StreamedMessage): Promise<void> {
    while (this.#behind !== undefined && this.#state === 'open') {
      await new Promise<void>((resolve) => {
        this.#turns ??= [];
        this.#turns.push(resolve);
      });
    }
    this.#assertOpen();
    const source = message.body[Symbol.asyncIterator]();
    const sent = { bytes: 0, frames: 0 };
    this.#source = source;
    this.#behind = new FrameWriter(this.#options.role);
    try {
      await this.#fragments(message, source, sent);
    } catch (error) {
      if (sent.frames > 0 && this.#state === 'open') {
        this.#options.broken('a body could not be sent to its end');
      }
      stopSource(source);
      throw error;
    } finally {
      this.#endStream();
    }
  }

  /** Nothing more is sent but this close frame. A streamed message is broken off, and what waits behind it dropped. */
  finish(payload: Uint8Array): void {
    if (this.#state === 'open') {
      this.#writer.write({ opcode: OPCODE.close, fin: true, head: '', body: payload }, false);
      this.#state = 'finished';
      if (this.#source !== undefined) {
        stopSource(this.#source);
      }
      this.#makeRoom();
      for (const turn of this.#turns?.splice(0) ?? []) {
        turn();
      }
      this.#wrote();
    }
  }

  /** Ends the socket when everything is sent. */
  end(): void {
    if (this.#state !== 'ended') {
      this.#state = 'ending';
      this.#pump();
    }
  }

  /** The socket is gone. */
  destroy(): void {
    this.finish(new Uint8Array(0));
    this.#state = 'ended';
    this.#queue = [];
    this.#next = 0;
    this.#queued = 0;
    this.#inSocket = 0;
    this.#writer.take();
    this.#behind?.take();
    this.#count();
    this.#makeRoom();
  }

  /** Sends what is there. */
  flush(): void {
    this.#scheduled = false;
    this.#pump();
  }

  get #ready(): number {
    return this.#writer.bytes + this.#queued + this.#inSocket;
  }

  async #fragments(
    message: StreamedMessage,
    source: AsyncIterator<Uint8Array>,
    sent: { bytes: number; frames: number },
  ): Promise<void> {
    const write = (fin: boolean, body: Uint8Array | undefined) => {
      const first = sent.frames === 0;
      const opcode = first ? OPCODE[message.kind] : OPCODE.continuation;
      this.#writer.write({ opcode, fin, head: first ? message.head : '', body }, this.#inSocket > 0);
      sent.frames++;
      this.#wrote();
    };
    for (let step = await source.next(); step.done !== true; step = await source.next()) {
      this.#assertOpen();
      sent.bytes += step.value.length;
      assertSize(sent.bytes <= (message.size ?? sent.bytes), message.size);
      for (let at = 0; at < step.value.length; at += FRAGMENT_BYTES) {
        write(false, step.value.subarray(at, at + FRAGMENT_BYTES));
      }
      if (this.#ready > STREAM_AHEAD_BYTES) {
        await new Promise<void>((resolve) => {
          this.#room = resolve;
        });
        this.#assertOpen();
      }
    }
    this.#assertOpen();
    assertSize(sent.bytes === (message.size ?? sent.bytes), message.size);
    write(true, undefined);
  }

  #endStream(): void {
    const behind = this.#behind;
    this.#behind = undefined;
    this.#source = undefined;
    if (behind !== undefined && this.#state === 'open') {
      this.#writer.adopt(behind);
      this.#wrote();
    }
    this.#turns?.shift()?.();
  }

  #assertOpen(): void {
    if (this.#state !== 'open') {
      throw fospError('unreachable', 'The connection closed.');
    }
  }

  /** Something was put into a writer. */
  #wrote(): void {
    if (this.#inSocket > 0) {
      this.#count();
    } else if (this.#writer.bytes >= PORTION_BYTES) {
      this.#pump();
    } else if (!this.#scheduled) {
      this.#scheduled = true;
      schedule(this);
    }
  }

  /** Gives the socket portions for as long as it takes them at once. */
  #pump(): void {
    while (this.#inSocket === 0 && this.#ready > 0 && !this.#socket.destroyed) {
      if (this.#next === this.#queue.length) {
        this.#queued = this.#writer.bytes;
        this.#queue = this.#writer.take();
        this.#next = 0;
      }
      this.#inSocket = this.#writePortion();
      this.#queued -= this.#inSocket;
      this.#inSocketSince = this.#timers.time;
      if (this.#socket.writableLength === 0) {
        this.#inSocket = 0;
      }
    }
    this.#count();
    if (this.#inSocket === 0 && this.#ready === 0) {
      this.#makeRoom();
      if (this.#state === 'ending') {
        this.#state = 'ended';
        this.#socket.end();
      }
    }
  }

  /** @returns bytes written */
  #writePortion(): number {
    const socket = this.#socket;
    let bytes = 0;
    let piece = this.#portion();
    if (this.#next === this.#queue.length) {
      socket.write(piece, this.#written);
      return piece.length;
    }
    socket.cork();
    for (;;) {
      bytes += piece.length;
      if (bytes >= PORTION_BYTES || this.#next === this.#queue.length) {
        break;
      }
      socket.write(piece);
      piece = this.#portion();
    }
    socket.write(piece, this.#written);
    socket.uncork();
    return bytes;
  }

  /** The next piece of the queue, or as much of it as goes into a portion. */
  #portion(): Uint8Array {
    const piece = this.#queue[this.#next] ?? new Uint8Array(0);
    if (piece.length > PORTION_BYTES) {
      this.#queue[this.#next] = piece.subarray(PORTION_BYTES);
      return piece.subarray(0, PORTION_BYTES);
    }
    this.#next++;
    return piece;
  }

  #afterWrite(): void {
    if (this.#inSocket > 0 && this.#socket.writableLength === 0) {
      this.#inSocket = 0;
      this.#pump();
    }
  }

  /** Tells the budget what waits for a reader that is behind. */
  #count(): void {
    const waiting = this.#inSocket > 0 ? this.bytes : 0;
    const more = waiting - this.#counted;
    if (more !== 0) {
      this.#counted = waiting;
      if (!this.#budget.addBacklog(more) && more > 0) {
        this.#options.overflow('too much waits for readers that are behind');
      }
    }
  }

  #makeRoom(): void {
    const room = this.#room;
    this.#room = undefined;
    room?.();
  }
}

function assertSize(fits: boolean, size: number | undefined): void {
  if (!fits) {
    throw fospError('internal', `A body has another size than the ${size} bytes announced.`);
  }
}

/** Lets a source that is not read to its end clean up; what it thinks of that is nobody's business. */
function stopSource(source: AsyncIterator<Uint8Array>): void {
  source.return?.().catch(() => {});
}

let scheduled: Outbox[] = [];

/** All outboxes that have something to send at the end of a turn share one tick. */
function schedule(outbox: Outbox): void {
  if (scheduled.push(outbox) === 1) {
    process.nextTick(flushScheduled);
  }
}

function flushScheduled(): void {
  const outboxes = scheduled;
  scheduled = [];
  for (const outbox of outboxes) {
    outbox.flush();
  }
}
