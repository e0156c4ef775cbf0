import type { Head, Headers, NotificationHead, RequestHead, ResponseHead } from '@fosp/protocol';

/** Which opcode a WebSocket message had, or shall have. */
export type FrameKind = 'text' | 'binary';

/** Which end of the connection this is: a client masks what it sends (RFC 6455 §5.3). */
export type Role = 'server' | 'client';

/**
 * The body of a message, arriving in pieces. Iterate it once. Breaking out of the loop or throwing in it cancels it: the
 * rest of the message is read and dropped. While nobody takes pieces, the socket is paused.
 *
 * Iterating throws a FospError: `unreachable` when the connection ends before the message does, `too-large` when the body
 * goes over the limit of its plan or the message over the limit of the connection.
 */
export interface BodyStream extends AsyncIterable<Uint8Array> {
  /** Bytes of the whole body where a single unfragmented frame announced them, else undefined. */
  readonly size: number | undefined;
  /** Drops what is still to come, also before or without iterating. */
  cancel(): void;
}

/** What to do with the body of a message, decided when its head is known. Limits are bytes of the body. */
export type BodyPlan = { kind: 'buffer'; limit: number } | { kind: 'stream'; limit: number } | { kind: 'discard' };

/** A request as handed to {@link PeerHandler.request}. */
export interface IncomingRequest {
  readonly head: RequestHead;
  /** Empty where the body streams, was discarded by plan, or went over the limit of the plan. */
  readonly body: Uint8Array;
  /** Set where the plan was `stream`. */
  readonly stream: BodyStream | undefined;
  readonly frame: FrameKind;
  /** The body went over the limit of a `buffer` plan and was dropped: answer 413. */
  readonly oversized: boolean;
}

/** A notification as handed to {@link PeerHandler.notification}. One that goes over its plan's limit is malformed. */
export interface IncomingNotification {
  readonly head: NotificationHead;
  readonly body: Uint8Array;
}

/**
 * Whoever owns a peer. No method is called before the code that made the peer returned to the event loop; none but
 * `closed` after `Peer.close` was called.
 */
export interface PeerHandler {
  /** Called once per request and notification when the head is known, before the body. A notification cannot stream. */
  plan(head: Head): BodyPlan;
  /**
   * A whole request, or at its head one whose body streams. Must not throw. A refusal of a repeated sequence number is sent
   * before this returns: what is answered later is the request that had the number first.
   */
  request(message: IncomingRequest): void;
  notification(message: IncomingNotification): void;
  /**
   * A message without a readable head; sequence 0 where none could be read. Answer FAILED 400, and count. A `notification` is
   * given where it is one that goes over its plan's limit.
   */
  malformed(sequence: number, message: string, notification?: NotificationHead): void;
  /**
   * A message over {@link PeerLimits.messageBytes}, also one that was handed on as a stream and is not answered yet. Answer 413
   * before returning: the peer closes with 1009 right after.
   */
  tooLarge(head: RequestHead | undefined): void;
  /** The connection is over. Called exactly once; code 1006 where no close frame came. */
  closed(code: number, reason: string): void;
  /** A response that answers nothing: late, or made up. It is ignored. */
  unknownResponse?(head: ResponseHead): void;
}

/** Bounds of one connection. All have defaults: {@link DEFAULT_PEER_LIMITS}. */
export interface PeerLimits {
  /** Largest message accepted, head and body, in bytes. Changed later by `setMessageLimit`. */
  readonly messageBytes: number;
  /** Bytes waiting to be sent, beyond which a connection is closed with 1013. */
  readonly sendBufferBytes: number;
  /** How long a reader may take none of what is sent to it, in portions of 64 KiB, before it is closed with 1013. */
  readonly sendSeconds: number;
  /** A server pings a connection on which nothing was heard for so long. 0 switches the heartbeat off. */
  readonly heartbeatSeconds: number;
  /** How long after a ping anything must be heard, else the connection is dropped (1006). */
  readonly heartbeatTimeoutSeconds: number;
  /** A message of which nothing arrives for so long, while we read, closes the connection with 1008. */
  readonly messageSeconds: number;
  /** From `messageSeconds` on a message must have arrived at this rate on average, counted while we read; else 1008. */
  readonly messageBytesPerSecond: number;
  /** Requests of our own that may wait for a response; one more is rejected with `too-many`. */
  readonly pendingRequests: number;
  /** Pings of our own, other than the heartbeat's, that may wait for a pong; one more is rejected with `too-many`. */
  readonly pendingPings: number;
  /** How long a request of our own waits for its response, unless it says otherwise, and a ping for its pong. Resolution is {@link TIMER_RESOLUTION_MS}. */
  readonly requestTimeoutMs: number;
  /** Largest body of a buffered response, unless the request says otherwise. */
  readonly responseBytes: number;
  /** Unconsumed bytes of one body stream beyond which its socket is paused. */
  readonly streamBytes: number;
  /** How long the closing handshake may take before the socket is destroyed. */
  readonly closeSeconds: number;
}

/** Options of a request of our own. */
export interface RequestOptions {
  readonly headers?: Headers;
  /**
   * Pieces of an async iterable are sent as they come, in one message, with back-pressure. Bytes are not copied: they must
   * not change afterwards.
   */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** Bytes of an async iterable in all, where known: then the receiver is told them beforehand. */
  readonly size?: number;
  /** Default: binary where the body is bytes, else text. */
  readonly frame?: FrameKind;
  /** Default: {@link PeerLimits.requestTimeoutMs}. Counted from the end of the body, where that streams or is large. */
  readonly timeoutMs?: number;
  /** Give the body of a successful response as a stream; meant for READ. */
  readonly stream?: boolean;
  /** Largest body of the response. Default: {@link PeerLimits.responseBytes}, for streams no limit but the message's. */
  readonly responseBytes?: number;
}

/** The response to a request of our own. FAILED ones resolve too. */
export interface PeerResponse {
  readonly head: ResponseHead;
  /** Empty where it streams. */
  readonly body: Uint8Array;
  readonly stream: BodyStream | undefined;
}

/** Bytes of bodies are not copied: they must not change afterwards. */
export interface RespondOptions {
  readonly headers?: Headers;
  readonly body?: string | Uint8Array;
  /** Default text, whatever the body is. */
  readonly frame?: FrameKind;
}

export interface RespondStreamOptions {
  readonly headers?: Headers;
  /** Its iterator's `return` is called when it is not read to its end, even where it was not begun. */
  readonly body: AsyncIterable<Uint8Array>;
  /**
   * Bytes the body will have, where known. Ending with another number ends the connection (1011): the message could not be
   * completed.
   */
  readonly size: number | undefined;
  /**
   * Whether a known size is told beforehand: one frame, not fragments, which costs both ends less. No control frame can be sent
   * before its end. Default false.
   */
  readonly announced?: boolean;
}
