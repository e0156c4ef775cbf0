import type { RespondOptions, RespondStreamOptions } from '@fosp/connection';

/** What a conversation is held over: a connection of its own, or one user's share of a link (`remote-user.ts`). */
export interface Line {
  readonly isOpen: boolean;
  /** Bytes that wait to be read by the other end. */
  readonly bufferedBytes: number;
  respond(sequence: number, status: number, options?: RespondOptions): void;
  /** See `Peer.respondStream`. */
  respondStream(sequence: number, status: number, options: RespondStreamOptions): Promise<void>;
  /** Takes nothing more in until `resume`. */
  pause(): void;
  resume(): void;
  close(code: number, reason: string): void;
  /** A request is answered and has left the order. */
  finished?(sequence: number): void;
}
