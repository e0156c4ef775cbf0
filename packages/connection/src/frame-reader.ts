/**
 * Takes WebSocket frames apart (RFC 6455 §5), for either end.
 *
 * It keeps no payload: of a message it passes on what each chunk of the socket holds, unmasked in place, as a view of that
 * chunk. What it keeps is a header that a chunk cut in two (14 bytes) and the payload of a control frame (125).
 * A message that lies in one chunk is passed on whole, which is how nearly all arrive.
 *
 * Text is not checked for UTF-8 (PROTOCOL §1); no extension is negotiated, so reserved bits are errors. Frame lengths that
 * are not the shortest spelling are accepted. The limit on messages is the sink's business: it counts as pieces come.
 *
 * Lifecycle: `read` until it says `violation` or `close` to the sink; after that it drops whatever comes.
 */
import { CLOSE_CODES, isSendableCloseCode } from './close-codes.ts';
import { headerLength, maskAt, OPCODE, payloadLength } from './frame-header.ts';
import { applyMask, rotateMask } from './mask.ts';
import type { FrameKind, Role } from './types.ts';

/** Where messages go. A view that is passed on is the sink's alone, and stays valid. */
export interface FrameSink {
  /** A whole message. */
  message(kind: FrameKind, bytes: Uint8Array): void;
  /** A message begins that comes in pieces; `size` where a single frame announces it. */
  begin(kind: FrameKind, size: number | undefined): void;
  piece(bytes: Uint8Array): void;
  end(): void;
  ping(payload: Uint8Array): void;
  pong(payload: Uint8Array): void;
  /** A close frame; 1005 where it gave no code. */
  peerClosed(code: number, reason: string): void;
  /** The other side broke the rules: the connection is to fail with this code. */
  violation(code: number, reason: string): void;
}

const MAX_HEADER = 14;
const MAX_CONTROL = 125;
const EMPTY = new Uint8Array(0);
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class FrameReader {
  readonly #sink: FrameSink;
  /** Whether the other side must mask: it is the client. */
  readonly #masked: boolean;
  #stopped = false;
  #dead = false;
  /** The beginning of a header that a chunk cut in two. */
  #partial: Uint8Array = EMPTY;
  /** Bytes of the current frame still to come; -1 between frames. */
  #left = -1;
  #opcode = 0;
  #fin = false;
  #mask = 0;
  /** Whether a fragmented message is under way. */
  #fragmented = false;
  /** The payload of a control frame, as far as it came. */
  #control: Uint8Array = EMPTY;

  constructor(role: Role, sink: FrameSink) {
    this.#masked = role === 'server';
    this.#sink = sink;
  }

  /** Makes a running `read` return after the current message or piece. */
  stop(): void {
    this.#stopped = true;
  }

  /** @returns how many bytes were used: all, unless `stop` was called meanwhile */
  read(chunk: Uint8Array): number {
    let at = 0;
    this.#stopped = false;
    while (at < chunk.length && !this.#stopped && !this.#dead) {
      at = this.#left < 0 ? this.#header(chunk, at) : this.#payload(chunk, at);
    }
    return this.#dead ? chunk.length : at;
  }

  /** Reads a header, and of its payload what the chunk holds. */
  #header(chunk: Uint8Array, at: number): number {
    if (this.#partial.length > 0) {
      return this.#cutHeader(chunk, at);
    }
    const length = headerLength(chunk, at);
    if (at + length > chunk.length) {
      this.#partial = chunk.slice(at);
      return chunk.length;
    }
    const payload = this.#parse(chunk, at, length);
    return payload < 0 ? chunk.length : this.#frame(chunk, at + length, payload);
  }

  /** The same, for a header of which a part came with an earlier chunk. */
  #cutHeader(chunk: Uint8Array, at: number): number {
    const known = this.#partial.length;
    const joined = new Uint8Array(Math.min(MAX_HEADER, known + chunk.length - at));
    joined.set(this.#partial);
    joined.set(chunk.subarray(at, at + joined.length - known), known);
    const length = headerLength(joined, 0);
    if (length > joined.length) {
      this.#partial = joined;
      return chunk.length;
    }
    this.#partial = EMPTY;
    const payload = this.#parse(joined, 0, length);
    return payload < 0 ? chunk.length : this.#frame(chunk, at + length - known, payload);
  }

  /** @returns the length of the payload, -1 when the header breaks the rules */
  #parse(bytes: Uint8Array, at: number, length: number): number {
    const first = bytes[at] ?? 0;
    const payload = payloadLength(bytes, at);
    this.#fin = first >= 0x80;
    this.#opcode = first & 0x0f;
    const mistake = this.#mistake(first, (bytes[at + 1] ?? 0) >= 0x80, payload);
    if (mistake !== undefined) {
      return this.#fail(CLOSE_CODES.protocolError.code, mistake);
    }
    if (payload > Number.MAX_SAFE_INTEGER) {
      return this.#fail(CLOSE_CODES.tooLarge.code, 'a frame announces more bytes than there can be');
    }
    this.#mask = this.#masked ? maskAt(bytes, at + length - 4) : 0;
    return payload;
  }

  #mistake(first: number, masked: boolean, payload: number): string | undefined {
    const opcode = this.#opcode;
    if ((first & 0x70) !== 0) {
      return 'reserved bits are set, but no extension was agreed on';
    }
    if (masked !== this.#masked) {
      return masked ? 'a server must not mask its frames' : 'a client must mask its frames';
    }
    if (opcode > OPCODE.pong || (opcode > OPCODE.binary && opcode < OPCODE.close)) {
      return `unknown opcode ${opcode}`;
    }
    if (opcode >= OPCODE.close) {
      return this.#fin && payload <= MAX_CONTROL ? undefined : 'a control frame is fragmented or over 125 bytes';
    }
    if (this.#fragmented !== (opcode === OPCODE.continuation)) {
      return this.#fragmented ? 'a message begins within another one' : 'a continuation of nothing';
    }
    return payload >= 2 ** 63 ? 'the length of a frame has its highest bit set' : undefined;
  }

  /** A header was read, its payload begins at `at`. */
  #frame(chunk: Uint8Array, at: number, payload: number): number {
    const opcode = this.#opcode;
    const end = at + payload;
    if (opcode < OPCODE.close && opcode !== OPCODE.continuation) {
      const kind = opcode === OPCODE.text ? 'text' : 'binary';
      if (this.#fin && end <= chunk.length) {
        if (this.#mask !== 0) {
          applyMask(chunk, at, end, this.#mask);
        }
        this.#sink.message(kind, chunk.subarray(at, end));
        return end;
      }
      this.#fragmented = !this.#fin;
      this.#sink.begin(kind, this.#fin ? payload : undefined);
    }
    this.#left = payload;
    return this.#payload(chunk, at);
  }

  /** Takes what the chunk holds of the payload; the frame ends when that is all of it. */
  #payload(chunk: Uint8Array, at: number): number {
    const end = Math.min(chunk.length, at + this.#left);
    if (this.#mask !== 0) {
      applyMask(chunk, at, end, this.#mask);
      this.#mask = rotateMask(this.#mask, end - at);
    }
    this.#left -= end - at;
    const piece = chunk.subarray(at, end);
    const ends = this.#left === 0;
    if (ends) {
      this.#left = -1;
    }
    if (this.#opcode >= OPCODE.close) {
      this.#takeControl(piece, ends);
    } else {
      this.#takeData(piece, ends);
    }
    return end;
  }

  #takeData(piece: Uint8Array, ends: boolean): void {
    if (piece.length > 0) {
      this.#sink.piece(piece);
    }
    if (ends && this.#fin) {
      this.#fragmented = false;
      this.#sink.end();
    }
  }

  #takeControl(piece: Uint8Array, ends: boolean): void {
    const payload = this.#control.length === 0 ? piece.slice() : Uint8Array.of(...this.#control, ...piece);
    this.#control = ends ? EMPTY : payload;
    if (!ends) {
      return;
    }
    if (this.#opcode === OPCODE.ping) {
      this.#sink.ping(payload);
    } else if (this.#opcode === OPCODE.pong) {
      this.#sink.pong(payload);
    } else {
      this.#close(payload);
    }
  }

  #close(payload: Uint8Array): void {
    const code = payload.length === 0 ? CLOSE_CODES.noCode.code : ((payload[0] ?? 0) << 8) | (payload[1] ?? 0);
    if (payload.length === 1 || (payload.length > 1 && !isSendableCloseCode(code))) {
      this.#fail(CLOSE_CODES.protocolError.code, 'a close frame without a valid code');
      return;
    }
    let reason: string;
    try {
      reason = utf8.decode(payload.subarray(2));
    } catch {
      this.#fail(CLOSE_CODES.badText.code, 'the reason of a close frame is no UTF-8');
      return;
    }
    this.#dead = true;
    this.#sink.peerClosed(code, reason);
  }

  #fail(code: number, reason: string): -1 {
    this.#dead = true;
    this.#sink.violation(code, reason);
    return -1;
  }
}
