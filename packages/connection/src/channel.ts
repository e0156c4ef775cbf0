/**
 * The one boundary between what a FOSP peer does and how messages travel: `socket-channel.ts` frames them itself over a Node
 * socket, `browser-channel.ts` uses the browser's WebSocket. Nothing on the peer's side of it imports Node.
 */
import type { FrameKind } from './types.ts';

/** What a channel tells its peer. Nothing is told before `start`, nor in the turn of the event loop in which it is called. */
export interface ChannelReceiver {
  /** A whole message. */
  message(kind: FrameKind, bytes: Uint8Array): void;
  /** A message begins that comes in pieces; `size` where its length is known. */
  begin(kind: FrameKind, size: number | undefined): void;
  piece(bytes: Uint8Array): void;
  end(): void;
  /** The answer to a ping. */
  pong(payload: Uint8Array): void;
  /** While paused, the channel itself keeps so many bytes that it had already read. */
  kept(bytes: number): void;
  /** The channel is not open any more, whoever ended it. Called exactly once; nothing but `closed` is called after it. */
  closing(code: number, reason: string): void;
  /** The closing handshake is done, or was given up. Called exactly once, after `closing`. */
  closed(code: number, reason: string): void;
}

/** One WebSocket after its handshake, either end. */
export interface Channel {
  /** From the moment `close` is called, the other side closes, or the connection breaks, this is false. */
  readonly isOpen: boolean;
  /** Bytes that wait to be sent. */
  readonly bufferedBytes: number;
  start(receiver: ChannelReceiver): void;
  /** Sends a message; nothing happens when the channel is not open. Over its send buffer the channel closes with 1013. */
  send(head: string, body: string | Uint8Array | undefined, kind: FrameKind): void;
  /**
   * Sends one message as its body comes; what is sent meanwhile waits behind it. Resolves when all was handed over. Rejects,
   * and the channel closes with 1011, when the body throws or has another size than announced; rejects when the channel closes.
   */
  sendStream(message: StreamedMessage): Promise<void>;
  /**
   * Sends a ping behind all that was sent before it; nothing happens when the channel is not open. Absent where pings are the
   * runtime's alone, in browsers.
   */
  sendPing?(payload: Uint8Array): void;
  /** Starts the closing handshake. Messages that were sent before still leave, data that comes is dropped. */
  close(code: number, reason: string): void;
  /** Stops reading. What comes with what was already read is kept until `resume`. */
  pause(): void;
  resume(): void;
}

export interface StreamedMessage {
  readonly head: string;
  readonly body: AsyncIterable<Uint8Array>;
  readonly kind: FrameKind;
  /** Bytes that the body must have, where known. */
  readonly size: number | undefined;
  /**
   * With a known size: one frame that announces it, so that the receiver knows it too. No control frame can go out before its
   * end. Else fragments.
   */
  readonly announced: boolean;
  /** Told why it cannot be sent to its end, before the channel closes for that. */
  failed?(error: unknown): void;
}
