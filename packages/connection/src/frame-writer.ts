/**
 * Puts messages into frames (RFC 6455 §5): header, head and small bodies as one run of bytes. Messages are kept as they are until
 * they leave; then those of one connection are written side by side into a slab that all connections share, and leave as one
 * piece. So what is sent in one turn of the event loop mostly costs one copy and one write.
 *
 * What a slow reader keeps waiting would keep the whole slab alive: whoever writes for one that is behind asks for memory
 * of its own (`apart`). No body may be changed after it was sent: a large one
 * is never copied, but for masking, and a small one only when it leaves.
 */
import { randomFillSync } from 'node:crypto';
import { headerSize, writeHeader } from './frame-header.ts';
import { applyMask, rotateMask } from './mask.ts';
import type { Role } from './types.ts';

const SLAB_BYTES = 16 * 1024;
const OWN_BYTES = 4 * 1024;
const COPY_BELOW = 4 * 1024;

export interface Frame {
  readonly opcode: number;
  readonly fin: boolean;
  readonly head: string;
  readonly body: string | Uint8Array | undefined;
}

/** One that is not bytes yet. */
interface Waiting {
  readonly frame: Frame;
  readonly headBytes: number;
  readonly bodyBytes: number;
}

/** The pieces of one connection, ready to be written. */
export class FrameWriter {
  readonly #masked: boolean;
  /** What is not bytes yet, and how many it will be. */
  #waiting: Waiting[] = [];
  #unwritten = 0;
  #pieces: Uint8Array[] = [];
  /** What is not a piece yet, since the next message may lie behind it. */
  #run: Buffer | undefined;
  /** Whether nobody else writes into the memory of the run: a slab that is used up is still others' too. */
  #isOwnRun = false;
  #from = 0;
  #to = 0;
  #bytes = 0;
  /** Of the frame that was announced, as it applies to its next byte. */
  #mask = 0;

  constructor(role: Role) {
    this.#masked = role === 'client';
  }

  /** Bytes written and not yet taken. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param apart the frame may wait for long, so it shall not share memory with others */
  write(frame: Frame, apart: boolean): void {
    const headBytes = lengthOf(frame.head);
    const bodyBytes = lengthOf(frame.body);
    const payload = headBytes + bodyBytes;
    const size = headerSize(payload, this.#masked) + payload;
    this.#bytes += size;
    this.#unwritten += size;
    this.#waiting.push({ frame, headBytes, bodyBytes });
    if (apart) {
      this.#encode(true);
    }
  }

  #encode(apart: boolean): void {
    const all = this.#waiting;
    if (all.length === 0) {
      return;
    }
    // So that they lie side by side.
    if (!apart && this.#unwritten <= SLAB_BYTES / 2 && slabUsed + this.#unwritten > SLAB_BYTES) {
      beginSlab();
    }
    this.#waiting = [];
    this.#unwritten = 0;
    for (const waiting of all) {
      this.#put(waiting, apart);
    }
  }

  #put({ frame, headBytes, bodyBytes }: Waiting, apart: boolean): void {
    const { opcode, fin, head, body } = frame;
    const copied = this.#masked || typeof body === 'string' || bodyBytes < COPY_BELOW;
    const payload = headBytes + bodyBytes;
    const mask = this.#masked ? randomMask() : undefined;
    const size = headerSize(payload, this.#masked) + headBytes + (copied ? bodyBytes : 0);
    const start = this.#room(size, apart);
    const target = this.#run ?? slab;
    const from = writeHeader(target, start, { opcode, fin, payload, mask });
    writeText(target, from, head, headBytes);
    if (typeof body === 'string') {
      writeText(target, from + headBytes, body, bodyBytes);
    } else if (copied && body !== undefined) {
      target.set(body, from + headBytes);
    }
    if (mask !== undefined) {
      applyMask(target, from, start + size, mask);
    }
    if (!copied && body instanceof Uint8Array) {
      this.#seal();
      this.#pieces.push(body);
    }
  }

  /** Begins a frame whose body comes by `proceed`. */
  announce(frame: { readonly opcode: number; readonly head: string; readonly bodyBytes: number }): void {
    this.#encode(false);
    const { opcode, head, bodyBytes } = frame;
    const headBytes = Buffer.byteLength(head);
    const mask = this.#masked ? randomMask() : undefined;
    const size = headerSize(headBytes + bodyBytes, this.#masked) + headBytes;
    const start = this.#room(size, false);
    const target = this.#run ?? slab;
    const from = writeHeader(target, start, { opcode, fin: true, payload: headBytes + bodyBytes, mask });
    writeText(target, from, head, headBytes);
    applyMask(target, from, start + size, mask ?? 0);
    this.#mask = rotateMask(mask ?? 0, headBytes);
    this.#bytes += size;
  }

  /** The next bytes of the frame that was announced. */
  proceed(bytes: Uint8Array): void {
    this.#encode(false);
    this.#seal();
    this.#bytes += bytes.length;
    if (!this.#masked) {
      this.#pieces.push(bytes);
      return;
    }
    const masked = Buffer.allocUnsafeSlow(bytes.length);
    masked.set(bytes);
    applyMask(masked, 0, masked.length, this.#mask);
    this.#mask = rotateMask(this.#mask, masked.length);
    this.#pieces.push(masked);
  }

  /** Puts everything of another writer behind what is here. */
  adopt(other: FrameWriter): void {
    this.#encode(false);
    this.#seal();
    this.#bytes += other.bytes;
    for (const piece of other.take()) {
      this.#pieces.push(piece);
    }
  }

  /** Takes all pieces in order. */
  take(): Uint8Array[] {
    this.#encode(false);
    this.#seal();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#bytes = 0;
    return pieces;
  }

  /** Makes room at the end of the run, or in a new one. @returns where it begins */
  #room(size: number, apart: boolean): number {
    const start = apart || size > SLAB_BYTES / 2 ? this.#ownRoom(size, apart) : this.#sharedRoom(size);
    this.#to = start + size;
    return start;
  }

  #ownRoom(size: number, apart: boolean): number {
    if (this.#run !== undefined && this.#isOwnRun && this.#run.length - this.#to >= size) {
      return this.#to;
    }
    this.#seal();
    this.#run = Buffer.allocUnsafeSlow(apart ? Math.max(OWN_BYTES, size) : size);
    this.#isOwnRun = true;
    this.#from = 0;
    return 0;
  }

  #sharedRoom(size: number): number {
    if (slabUsed + size > SLAB_BYTES) {
      beginSlab();
    }
    const start = slabUsed;
    slabUsed += size;
    if (this.#run !== slab || this.#to !== start) {
      this.#seal();
      this.#run = slab;
      this.#isOwnRun = false;
      this.#from = start;
    }
    return start;
  }

  #seal(): void {
    if (this.#run !== undefined) {
      this.#pieces.push(this.#run.subarray(this.#from, this.#to));
      this.#run = undefined;
    }
  }
}

function lengthOf(body: string | Uint8Array | undefined): number {
  if (body === undefined) {
    return 0;
  }
  return typeof body === 'string' ? Buffer.byteLength(body) : body.length;
}

let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let slabUsed = 0;

function beginSlab(): void {
  slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  slabUsed = 0;
}

function writeText(target: Buffer, at: number, text: string, bytes: number): void {
  target.write(text, at, bytes, bytes === text.length ? 'latin1' : 'utf8');
}

const masks = new Int32Array(2048);
let masksUsed = masks.length;

/** Masks cannot be foreseen by whoever chooses the payload (RFC 6455 §10.3). */
function randomMask(): number {
  if (masksUsed === masks.length) {
    randomFillSync(masks);
    masksUsed = 0;
  }
  const mask = masks[masksUsed] ?? 0;
  masksUsed++;
  return mask;
}
