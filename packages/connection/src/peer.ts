import type { RequestType } from '@fosp/protocol';
import type { PeerResponse, RequestOptions, RespondOptions, RespondStreamOptions } from './types.ts';

/** One FOSP connection, either end. Made by `openPeer` or `dial`. */
export declare class Peer {
  get isOpen(): boolean;
  /** Bytes waiting to be sent. */
  get bufferedBytes(): number;
  /** Sends a request under a sequence number of our own. Rejects with FospError `timeout`, `unreachable` or `too-many`. */
  request(
    type: RequestType,
    resource: { readonly tree: string; readonly path: string } | undefined,
    options?: RequestOptions,
  ): Promise<PeerResponse>;
  /** Sends a response; does nothing when the connection is over. */
  respond(sequence: number, status: number, options?: RespondOptions): void;
  /** One binary message in fragments, with back-pressure; what is sent meanwhile waits behind it. Resolves when all is handed to the socket. */
  respondStream(sequence: number, status: number, options: RespondStreamOptions): Promise<void>;
  /** A ready message (a notification) as one text frame. */
  sendRaw(message: Uint8Array | string): void;
  setMessageLimit(bytes: number): void;
  /** Takes no more messages until `resume`: what was already read, at most about 64 KiB, is kept. The heartbeat counts from the resume. */
  pause(): void;
  resume(): void;
  /** Starts the closing handshake. No request is delivered any more. */
  close(code: number, reason: string): void;
}
