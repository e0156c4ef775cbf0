/**
 * Frames on their way into one socket.
 *
 * Those of one turn of the event loop, in which many sockets were read, leave together, or earlier when there are 64 KiB: a
 * write costs as much as many messages do. The socket gets one portion at a time: as long as it takes them at once there is no
 * end to it, else the rest waits here, where it is counted exactly, and against the budget.
 *
 * Lifecycle: what is put into `writer` is sent, until `destroy`; `end` ends the socket behind it.
 */
import type { Duplex } from 'node:stream';
import type { TransferBudget } from './budget.ts';
import { FrameWriter } from './frame-writer.ts';
import type { PeerEnvironment } from './options.ts';
import type { TimerWheel } from './timer-wheel.ts';
import type { Role } from './types.ts';

const PORTION_BYTES = 64 * 1024;
const EMPTY = new Uint8Array(0);

export interface SendQueueOptions {
  readonly role: Role;
  readonly environment: PeerEnvironment;
  /** Told when too much waits for all readers together. */
  overflow(reason: string): void;
}

export class SendQueue {
  /** Takes new frames; `wrote` is to be called after it got some. */
  readonly writer: FrameWriter;
  readonly #socket: Duplex;
  readonly #budget: TransferBudget;
  readonly #timers: TimerWheel;
  readonly #overflow: (reason: string) => void;
  #ending = false;
  /** Pieces taken from the writer, which of them is next, and their bytes. */
  #pieces: Uint8Array[] = [];
  #next = 0;
  #queued = 0;
  /** The portion that the socket did not take at once, and since when. */
  #inSocket = 0;
  #inSocketSince = 0;
  /** When it last took something that had to wait. */
  takenAt = 0;
  #scheduled = false;
  /** What the budget knows of. */
  #counted = 0;
  #room: (() => void) | undefined;
  readonly #written = (): void => this.#afterWrite();

  constructor(socket: Duplex, options: SendQueueOptions) {
    this.writer = new FrameWriter(options.role);
    this.#socket = socket;
    this.#budget = options.environment.budget;
    this.#timers = options.environment.timers;
    this.#overflow = options.overflow;
  }

  /** Bytes that wait to be sent. */
  get bytes(): number {
    return this.writer.bytes + this.#queued + this.#inSocket;
  }

  /** Whether the socket has not taken what it was given. */
  get isBehind(): boolean {
    return this.#inSocket > 0;
  }

  /** Since when it has not; undefined when it has. */
  get stalledSince(): number | undefined {
    return this.#inSocket > 0 ? this.#inSocketSince : undefined;
  }

  wrote(): void {
    if (this.#inSocket > 0) {
      this.#count();
    } else if (this.writer.bytes >= PORTION_BYTES) {
      this.flush();
    } else if (!this.#scheduled) {
      this.#scheduled = true;
      schedule(this);
    }
  }

  /** Resolves when the socket has taken everything, or is gone. For one at a time. */
  room(): Promise<void> {
    return new Promise((resolve) => {
      this.#room = resolve;
    });
  }

  /** Lets go who waits for room. */
  release(): void {
    const room = this.#room;
    this.#room = undefined;
    room?.();
  }

  /** Ends the socket when everything is sent. */
  end(): void {
    this.#ending = true;
    this.flush();
  }

  /** The socket is gone. */
  destroy(): void {
    this.#ending = false;
    this.#pieces = [];
    this.#next = 0;
    this.#queued = 0;
    this.#inSocket = 0;
    this.writer.take();
    this.#count();
    this.release();
  }

  /** Gives the socket portions for as long as it takes them at once. */
  flush(): void {
    this.#scheduled = false;
    while (this.#inSocket === 0 && this.bytes > 0 && !this.#socket.destroyed) {
      if (this.#next === this.#pieces.length) {
        this.#queued = this.writer.bytes;
        this.#pieces = this.writer.take();
        this.#next = 0;
      }
      const bytes = this.#writePortion();
      this.#queued -= bytes;
      if (this.#socket.writableLength > 0) {
        this.#inSocket = bytes;
        this.#inSocketSince = this.#timers.time;
      }
    }
    this.#count();
    if (this.bytes === 0) {
      this.release();
      if (this.#ending) {
        this.#ending = false;
        this.#socket.end();
      }
    }
  }

  /** @returns bytes written */
  #writePortion(): number {
    const socket = this.#socket;
    let bytes = 0;
    let piece = this.#portion();
    const one = this.#next === this.#pieces.length;
    if (!one) {
      socket.cork();
    }
    while (bytes + piece.length < PORTION_BYTES && this.#next < this.#pieces.length) {
      socket.write(piece);
      bytes += piece.length;
      piece = this.#portion();
    }
    socket.write(piece, this.#written);
    if (!one) {
      socket.uncork();
    }
    return bytes + piece.length;
  }

  /** The next piece, or as much of it as goes into a portion. */
  #portion(): Uint8Array {
    const piece = this.#pieces[this.#next] ?? EMPTY;
    if (piece.length > PORTION_BYTES) {
      this.#pieces[this.#next] = piece.subarray(PORTION_BYTES);
      return piece.subarray(0, PORTION_BYTES);
    }
    this.#pieces[this.#next] = EMPTY;
    this.#next++;
    return piece;
  }

  #afterWrite(): void {
    if (this.#inSocket > 0 && this.#socket.writableLength === 0) {
      this.#inSocket = 0;
      this.takenAt = this.#timers.time;
      this.flush();
    }
  }

  /** Tells the budget what waits for a reader that is behind. */
  #count(): void {
    const waiting = this.#inSocket > 0 ? this.bytes : 0;
    const more = waiting - this.#counted;
    if (more !== 0) {
      this.#counted = waiting;
      if (!this.#budget.addBacklog(more) && more > 0) {
        this.#overflow('too much waits for readers that are behind');
      }
    }
  }
}

let scheduled: SendQueue[] = [];

function schedule(queue: SendQueue): void {
  if (scheduled.push(queue) === 1) {
    setImmediate(flushScheduled);
  }
}

function flushScheduled(): void {
  const queues = scheduled;
  scheduled = [];
  for (const queue of queues) {
    queue.flush();
  }
}
