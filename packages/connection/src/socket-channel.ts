/**
 * A WebSocket over a Node socket whose handshake is done.
 *
 * Lifecycle: open → closing (we sent a close frame and wait for the other side's, dropping data) → over (both were sent, or
 * the connection broke: what is still to be sent leaves, then the socket ends). Closing and over are each bounded by
 * `closeSeconds`, after which the socket is destroyed. The receiver hears `closing` when open ends, and `closed` when closing does.
 *
 * Heartbeat: a connection on which nothing was heard for `heartbeatSeconds` is pinged, and dropped when nothing is heard for
 * `heartbeatTimeoutSeconds` more. While we do not read, nothing can be heard, so that time does not count. Taking what was
 * waiting to be sent is a sign of life too: a ping would be far behind it.
 */
import type { Duplex } from 'node:stream';
import type { Channel, ChannelReceiver, StreamedMessage } from './channel.ts';
import { CLOSE_CODES } from './close-codes.ts';
import { OPCODE } from './frame-header.ts';
import { FrameReader, type FrameSink } from './frame-reader.ts';
import type { PeerEnvironment } from './options.ts';
import { Outbox } from './outbox.ts';
import type { Timed, TimerWheel } from './timer-wheel.ts';
import type { FrameKind, PeerLimits, Role } from './types.ts';

const MAX_REASON_BYTES = 123;
/** The payload of a close frame without a code. */
const NO_CODE = new Uint8Array(0);

export interface SocketChannelOptions {
  readonly role: Role;
  readonly environment: PeerEnvironment;
  readonly limits: PeerLimits;
}

export class SocketChannel implements Channel, FrameSink, Timed {
  slot = -1;
  readonly #socket: Duplex;
  readonly #timers: TimerWheel;
  readonly #limits: PeerLimits;
  readonly #reader: FrameReader;
  readonly #outbox: Outbox;
  #receiver: ChannelReceiver | undefined;
  #state: 'open' | 'closing' | 'over' = 'open';
  #code: number = CLOSE_CODES.lost.code;
  #reason = '';
  /** When closing, or being over, has lasted long enough. */
  #deadline = 0;
  #paused = false;
  /** Input that was read, but not used before a pause. */
  #rest: Uint8Array | undefined;
  #heardAt: number;
  /** Set from a ping until anything is heard. */
  #pingedAt: number | undefined;

  constructor(socket: Duplex, options: SocketChannelOptions) {
    this.#socket = socket;
    this.#timers = options.environment.timers;
    this.#limits = options.limits;
    this.#reader = new FrameReader(options.role, this);
    this.#outbox = new Outbox(socket, {
      role: options.role,
      environment: options.environment,
      limitBytes: options.limits.sendBufferBytes,
      overflow: (reason) => this.close(CLOSE_CODES.tryLater.code, reason),
      broken: (reason) => this.close(CLOSE_CODES.internal.code, reason),
    });
    this.#heardAt = this.#timers.time;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get bufferedBytes(): number {
    return this.#outbox.bytes;
  }

  start(receiver: ChannelReceiver): void {
    const socket = this.#socket;
    this.#receiver = receiver;
    this.#scheduleCheck();
    this.#heardAt = this.#timers.time;
    socket.on('data', (chunk: Uint8Array) => this.#data(chunk));
    socket.on('end', () => this.#lost());
    socket.on('error', (error) => this.#lost(error));
    socket.on('close', () => {
      this.#lost();
      this.#outbox.destroy();
      this.#timers.cancel(this);
    });
    if (socket.destroyed) {
      process.nextTick(() => this.#lost());
    }
  }

  send(head: string, body: string | Uint8Array | undefined, kind: FrameKind): void {
    this.#outbox.frame(OPCODE[kind], head, body);
  }

  sendStream(message: StreamedMessage): Promise<void> {
    return this.#outbox.stream(message);
  }

  sendPing(payload: Uint8Array): void {
    this.#outbox.ping(payload);
  }

  close(code: number, reason: string): void {
    if (this.#state === 'open') {
      if (!this.#leave(code, reason, closePayload(code, reason))) {
        this.#conclude();
      }
      this.resume();
    }
  }

  pause(): void {
    if (!this.#paused && this.#state === 'open') {
      this.#paused = true;
      this.#pingedAt = undefined;
      this.#reader.stop();
      this.#socket.pause();
    }
  }

  resume(): void {
    if (!this.#paused) {
      return;
    }
    this.#paused = false;
    this.#heardAt = this.#timers.time;
    this.#goOnSoon();
  }

  message(kind: FrameKind, bytes: Uint8Array): void {
    if (this.#state === 'open') {
      this.#receiver?.message(kind, bytes);
    }
  }

  begin(kind: FrameKind, size: number | undefined): void {
    if (this.#state === 'open') {
      this.#receiver?.begin(kind, size);
    }
  }

  piece(bytes: Uint8Array): void {
    if (this.#state === 'open') {
      this.#receiver?.piece(bytes);
    }
  }

  end(): void {
    if (this.#state === 'open') {
      this.#receiver?.end();
    }
  }

  ping(payload: Uint8Array): void {
    this.#outbox.frame(OPCODE.pong, '', payload);
  }

  pong(payload: Uint8Array): void {
    // Being heard is all that a pong of the heartbeat is for.
    if (this.#state === 'open' && payload.length > 0) {
      this.#receiver?.pong(payload);
    }
  }

  peerClosed(code: number, reason: string): void {
    if (this.#state === 'open') {
      this.#leave(code, reason, code === CLOSE_CODES.noCode.code ? NO_CODE : closePayload(code, ''));
    }
    this.#conclude();
  }

  violation(code: number, reason: string): void {
    if (this.#state === 'open') {
      this.#leave(code, reason, closePayload(code, reason));
    }
    this.#conclude();
  }

  wake(now: number): void {
    if (this.#state === 'open') {
      this.#check(now);
    } else if (now < this.#deadline) {
      this.#timers.schedule(this, this.#deadline);
    } else {
      this.#conclude();
      this.#socket.destroy();
    }
  }

  #data(chunk: Uint8Array): void {
    this.#heardAt = this.#timers.time;
    this.#pingedAt = undefined;
    if (this.#rest !== undefined) {
      this.#keep(Buffer.concat([this.#rest, chunk]));
      return;
    }
    const used = this.#reader.read(chunk);
    if (used < chunk.length) {
      this.#keep(chunk.subarray(used));
      this.#goOnSoon();
    }
  }

  #keep(rest: Uint8Array | undefined): void {
    this.#rest = rest;
    if (this.#state === 'open') {
      this.#receiver?.kept(rest?.length ?? 0);
    }
  }

  /** After a resume: first what was kept, then the socket again. Not within the call that resumes, which may be one of ours. */
  #goOnSoon(): void {
    if (!this.#paused) {
      process.nextTick(() => {
        const rest = this.#rest;
        if (rest !== undefined && !this.#paused) {
          this.#keep(undefined);
          this.#data(rest);
        }
        if (!this.#paused) {
          this.#socket.resume();
        }
      });
    }
  }

  /** The end of being open. @returns whether a close frame could be sent */
  #leave(code: number, reason: string, payload: Uint8Array): boolean {
    this.#state = 'closing';
    this.#code = code;
    this.#reason = reason;
    this.#setDeadline();
    const sent = this.#outbox.finish(payload);
    this.#receiver?.closing(code, reason);
    return sent;
  }

  /** The end of closing. */
  #conclude(): void {
    if (this.#state !== 'over') {
      this.#state = 'over';
      this.#rest = undefined;
      this.#setDeadline();
      this.#outbox.end();
      this.#receiver?.closed(this.#code, this.#reason);
    }
  }

  /** The socket ended or broke. */
  #lost(error?: Error): void {
    if (this.#state === 'open') {
      this.#leave(CLOSE_CODES.lost.code, error === undefined ? 'the connection ended' : error.message, NO_CODE);
    }
    this.#conclude();
  }

  #setDeadline(): void {
    this.#deadline = this.#timers.time + this.#limits.closeSeconds * 1000;
    this.#timers.schedule(this, this.#deadline);
  }

  /** Is the other side still there, and does it read? */
  #check(now: number): void {
    const { heartbeatSeconds, heartbeatTimeoutSeconds, sendSeconds } = this.#limits;
    const { stalledSince, takenAt, isMidFrame } = this.#outbox;
    if (stalledSince !== undefined && now - stalledSince >= sendSeconds * 1000) {
      this.close(CLOSE_CODES.tryLater.code, 'what was sent is not read');
      return;
    }
    // In the middle of a frame no ping can leave. Whether the other side still takes bytes was just asked.
    const lifeAt = isMidFrame ? now : takenAt;
    if (lifeAt > this.#heardAt) {
      this.#heardAt = lifeAt;
      this.#pingedAt = undefined;
    }
    if (heartbeatSeconds > 0 && !this.#paused) {
      if (this.#pingedAt !== undefined && now - this.#pingedAt >= heartbeatTimeoutSeconds * 1000) {
        this.#leave(CLOSE_CODES.lost.code, 'nothing was heard, not even an answer to a ping', NO_CODE);
        this.#conclude();
        this.#socket.destroy();
        return;
      }
      if (this.#pingedAt === undefined && now - this.#heardAt >= heartbeatSeconds * 1000) {
        this.#pingedAt = now;
        this.#outbox.frame(OPCODE.ping, '', undefined);
      }
    }
    this.#scheduleCheck();
  }

  #scheduleCheck(): void {
    const { heartbeatSeconds, heartbeatTimeoutSeconds, sendSeconds } = this.#limits;
    const now = this.#timers.time;
    let next = (this.#outbox.stalledSince ?? now) + sendSeconds * 1000;
    if (heartbeatSeconds > 0) {
      const heard = this.#paused ? now : this.#heardAt;
      const due =
        this.#pingedAt === undefined
          ? heard + heartbeatSeconds * 1000
          : this.#pingedAt + heartbeatTimeoutSeconds * 1000;
      next = Math.min(next, due);
    }
    this.#timers.schedule(this, next);
  }
}

function closePayload(code: number, reason: string): Uint8Array {
  const payload = Buffer.alloc(2 + MAX_REASON_BYTES);
  payload.writeUInt16BE(code);
  return payload.subarray(0, 2 + payload.write(reason, 2, 'utf8'));
}
