import type { FrameSink } from '../src/frame-reader.ts';
import type { FrameKind } from '../src/types.ts';

/** Messages and control frames, in order, whichever pieces they came in. */
export type Seen =
  | { readonly message: FrameKind; readonly hex: string }
  | { readonly ping: string }
  | { readonly pong: true }
  | { readonly closed: number; readonly reason: string }
  | { readonly violation: number };

export class RecordingSink implements FrameSink {
  readonly seen: Seen[] = [];
  /** The sizes that were announced with `begin`. */
  readonly announced: (number | undefined)[] = [];
  readonly #pieces: Uint8Array[] = [];
  #kind: FrameKind = 'text';

  message(kind: FrameKind, bytes: Uint8Array): void {
    this.seen.push({ message: kind, hex: Buffer.from(bytes).toString('hex') });
  }

  begin(kind: FrameKind, size: number | undefined): void {
    this.#kind = kind;
    this.announced.push(size);
  }

  piece(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
  }

  end(): void {
    this.message(this.#kind, Buffer.concat(this.#pieces.splice(0)));
  }

  ping(payload: Uint8Array): void {
    this.seen.push({ ping: Buffer.from(payload).toString('hex') });
  }

  pong(): void {
    this.seen.push({ pong: true });
  }

  peerClosed(code: number, reason: string): void {
    this.seen.push({ closed: code, reason });
  }

  violation(code: number, _reason: string): void {
    this.seen.push({ violation: code });
  }
}
