/**
 * A WebSocket of the browser's own (or any runtime that has the same interface).
 *
 * It knows less than our framing: messages arrive whole, reading cannot be paused, and a body that streams is gathered
 * before it is sent. While paused, what arrives is kept; while bytes wait to be sent, `bufferedBytes` tells how many.
 * Text frames must be UTF-8 there: raw bytes go as binary frames.
 */
import { fospError } from '@fosp/protocol';
import type { Channel, ChannelReceiver, StreamedMessage } from './channel.ts';
import { CLOSE_CODES } from './close-codes.ts';
import type { PeerEnvironment } from './options.ts';
import { TIMER_RESOLUTION_MS, type Timed, type TimerWheel } from './timer-wheel.ts';
import type { FrameKind, PeerLimits } from './types.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

interface Kept {
  readonly kind: FrameKind;
  readonly bytes: Uint8Array;
}

export class BrowserChannel implements Channel, Timed {
  slot = -1;
  readonly #socket: WebSocket;
  readonly #timers: TimerWheel;
  readonly #limits: PeerLimits;
  #receiver: ChannelReceiver | undefined;
  #state: 'open' | 'closing' | 'over' = 'open';
  #ended: { readonly code: number; readonly reason: string } | undefined;
  #deadline = Number.POSITIVE_INFINITY;
  #paused = false;
  #kept: Kept[] = [];
  /** Who waits for the browser to have sent everything. */
  #drained: (() => void)[] = [];

  /** @param socket open, with `binaryType` `arraybuffer` */
  constructor(socket: WebSocket, environment: PeerEnvironment, limits: PeerLimits) {
    this.#socket = socket;
    this.#timers = environment.timers;
    this.#limits = limits;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  start(receiver: ChannelReceiver): void {
    this.#receiver = receiver;
    this.#socket.onmessage = (event) => this.#arrived(event.data);
    this.#socket.onclose = (event) => {
      this.#leave(event.code, event.reason);
      this.#conclude();
    };
  }

  send(head: string, body: string | Uint8Array | undefined, kind: FrameKind): void {
    if (this.#state !== 'open') {
      return;
    }
    if (this.bufferedBytes > this.#limits.sendBufferBytes) {
      this.close(CLOSE_CODES.tryLater.code, 'what was sent is not taken');
    } else if (kind === 'text') {
      this.#socket.send(head + (body instanceof Uint8Array ? decoder.decode(body) : (body ?? '')));
    } else {
      this.#socket.send(joined(encoder.encode(head), typeof body === 'string' ? encoder.encode(body) : body));
    }
  }

  async sendStream(message: StreamedMessage): Promise<void> {
    const parts: (string | Uint8Array<ArrayBuffer>)[] = [message.head];
    let bytes = 0;
    for await (const piece of message.body) {
      this.#assertOpen();
      parts.push(new Uint8Array(piece));
      bytes += piece.length;
    }
    this.#assertOpen();
    if (message.size !== undefined && bytes !== message.size) {
      throw fospError('internal', `A body has ${bytes} bytes instead of the ${message.size} announced.`);
    }
    this.#socket.send(new Blob(parts));
    await new Promise<void>((resolve) => {
      this.#drained.push(resolve);
      this.#timers.schedule(this, this.#timers.time + TIMER_RESOLUTION_MS);
    });
    this.#assertOpen();
  }

  close(code: number, reason: string): void {
    if (this.#state === 'open') {
      this.#leave(code, reason);
      this.#deadline = this.#timers.time + this.#limits.closeSeconds * 1000;
      this.#timers.schedule(this, this.#deadline);
      // Browsers let programs send only this code, or such as are not in the catalogue.
      this.#socket.close(CLOSE_CODES.normal.code);
    }
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (this.#paused) {
      this.#paused = false;
      queueMicrotask(() => this.#deliverKept());
    }
  }

  wake(now: number): void {
    if (this.#drained.length > 0 && this.bufferedBytes === 0) {
      this.#release();
    }
    if (now >= this.#deadline) {
      this.#conclude();
    } else if (this.#drained.length > 0 || this.#state === 'closing') {
      this.#timers.schedule(this, now + TIMER_RESOLUTION_MS);
    }
  }

  #arrived(data: string | ArrayBuffer): void {
    const kind = typeof data === 'string' ? 'text' : 'binary';
    const bytes = typeof data === 'string' ? encoder.encode(data) : new Uint8Array(data);
    if (this.#state !== 'open') {
      return;
    }
    if (this.#paused || this.#kept.length > 0) {
      this.#kept.push({ kind, bytes });
      this.#tellKept();
    } else {
      this.#receiver?.message(kind, bytes);
    }
  }

  #deliverKept(): void {
    while (this.#kept.length > 0 && !this.#paused && this.#state === 'open') {
      const next = this.#kept.shift();
      this.#tellKept();
      if (next !== undefined) {
        this.#receiver?.message(next.kind, next.bytes);
      }
    }
  }

  #tellKept(): void {
    this.#receiver?.kept(this.#kept.reduce((sum, kept) => sum + kept.bytes.length, 0));
  }

  #leave(code: number, reason: string): void {
    if (this.#state === 'open') {
      this.#state = 'closing';
      this.#ended = { code, reason };
      this.#kept = [];
      this.#release();
      this.#receiver?.closing(code, reason);
    }
  }

  #conclude(): void {
    if (this.#state !== 'over') {
      this.#state = 'over';
      this.#timers.cancel(this);
      this.#receiver?.closed(this.#ended?.code ?? CLOSE_CODES.lost.code, this.#ended?.reason ?? '');
    }
  }

  #release(): void {
    for (const resolve of this.#drained.splice(0)) {
      resolve();
    }
  }

  #assertOpen(): void {
    if (this.#state !== 'open') {
      throw fospError('unreachable', 'The connection closed.');
    }
  }
}

function joined(head: Uint8Array, body: Uint8Array | undefined): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(head.length + (body?.length ?? 0));
  both.set(head);
  both.set(body ?? [], head.length);
  return both;
}
