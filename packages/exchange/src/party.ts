/** On whose behalf requests are carried out: a client's session, or one user of another domain on a link of its server. */
import type { Conversation } from './conversation.ts';
import type { Exchange } from './exchange.ts';
import type { Slots } from './slots.ts';
import type { ConnectionTransfers } from './transfers.ts';

/** Extensions that change what a request on an object means (PROTOCOL §10): in force on the connection. */
export interface ObjectExtensions {
  readonly etag: boolean;
  readonly page: boolean;
}

export interface Party {
  /** `name@domain`. */
  readonly user: string;
  readonly extensions: ObjectExtensions;
  readonly conversation: Conversation;
  /** Whether it may say which span a request of it is part of. */
  readonly believesTraces: boolean;
  /** Made at the first transfer, since most have none. */
  readonly transfers: ConnectionTransfers;
  /** LISTs at once, made at the first one. */
  readonly lists: Slots;
  /** Does what a request asks whose turn has come. */
  carryOut(exchange: Exchange): void;
}
