/**
 * One user of another domain on a link of its server: the party on whose behalf their requests are carried out.
 *
 * Invariants: their requests take effect in the order in which the link brought them, as those of one connection do; what
 * cannot be taken in yet is held here, up to a bound, and never holds up the link, which others speak over too. Lives from a
 * user's first request until the last one is answered.
 */
import type { IncomingRequest, Peer, RespondOptions, RespondStreamOptions } from '@fosp/connection';
import { type FospError, fospError, type Headers } from '@fosp/protocol';
import { Conversation, type ConversationParts } from './conversation.ts';
import { Exchange } from './exchange.ts';
import type { Line } from './line.ts';
import type { ObjectExtensions, Party } from './party.ts';
import type { LinkExtensions } from './server-link-parts.ts';
import { Slots } from './slots.ts';
import { ConnectionTransfers, type SharedTransfers } from './transfers.ts';

/** The link, as its users see it. */
export interface UsersLink {
  readonly id: string;
  readonly peer: Peer;
  readonly extensions: LinkExtensions;
  readonly parts: ConversationParts & { readonly limits: RemoteUserLimits };
  readonly transfers: SharedTransfers;
  readonly lists: Slots;
  carryOut(user: RemoteUser, exchange: Exchange): void;
  /** A request of this user is answered. */
  finished(user: RemoteUser, sequence: number): void;
}

export interface RemoteUserLimits {
  /** Bytes of requests that are held beyond those in flight; each counts as `HELD_COST` more than its body. */
  readonly heldBytes: number;
  /** Uploads at once, and small files read at once. */
  readonly transfersPerConnection: number;
  /** LISTs at once. */
  readonly listsPerConnection: number;
}

/** What a request takes beside its body. */
const HELD_COST = 1024;

export class RemoteUser implements Party, Line {
  readonly user: string;
  readonly conversation: Conversation;
  readonly #link: UsersLink;
  readonly #address: Headers;
  readonly #held: IncomingRequest[] = [];
  #heldBytes = 0;
  #isPaused = false;
  #transfers: ConnectionTransfers | undefined;
  #lists: Slots | undefined;

  constructor(user: string, link: UsersLink) {
    this.user = user;
    this.#link = link;
    this.#address = addressOf(user);
    this.conversation = new Conversation(link.id, this, link.parts);
  }

  get extensions(): ObjectExtensions {
    return this.#link.extensions;
  }

  get believesTraces(): boolean {
    return this.#link.extensions.trace;
  }

  get transfers(): ConnectionTransfers {
    const { parts, transfers } = this.#link;
    this.#transfers ??= new ConnectionTransfers(parts.limits.transfersPerConnection, transfers);
    return this.#transfers;
  }

  get lists(): Slots {
    this.#lists ??= new Slots(this.#link.parts.limits.listsPerConnection, this.#link.lists);
    return this.#lists;
  }

  get isOpen(): boolean {
    return this.#link.peer.isOpen;
  }

  get bufferedBytes(): number {
    return this.#link.peer.bufferedBytes;
  }

  get isIdle(): boolean {
    return this.conversation.isIdle && this.#held.length === 0;
  }

  /** Why one more request cannot be taken in now. A body that streams cannot be held: it would hold up the link. */
  refusal(message: IncomingRequest): FospError | undefined {
    const isFull = this.#heldBytes + costOf(message) > this.#link.parts.limits.heldBytes;
    return this.#mustWait && (isFull || message.stream !== undefined)
      ? fospError('too-many', 'Too many requests of this user wait for an answer. Try again later.', { headers: RETRY })
      : undefined;
  }

  /** Takes a request in that is not refused. */
  take(message: IncomingRequest): void {
    if (this.#mustWait) {
      this.#held.push(message);
      this.#heldBytes += costOf(message);
    } else {
      this.#enter(message);
    }
  }

  carryOut(exchange: Exchange): void {
    this.#link.carryOut(this, exchange);
  }

  respond(sequence: number, status: number, options: RespondOptions = {}): void {
    this.#link.peer.respond(sequence, status, { ...options, headers: { ...options.headers, ...this.#address } });
  }

  respondStream(sequence: number, status: number, options: RespondStreamOptions): Promise<void> {
    const headers = { ...options.headers, ...this.#address };
    // A server that knows the size beforehand can pass the file on as it comes, without taking fragments apart.
    return this.#link.peer.respondStream(sequence, status, { ...options, headers, announced: true });
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    while (!this.#isPaused) {
      const next = this.#held.shift();
      if (next === undefined) {
        return;
      }
      this.#heldBytes -= costOf(next);
      this.#enter(next);
    }
  }

  close(code: number, reason: string): void {
    this.#link.peer.close(code, reason);
  }

  finished(sequence: number): void {
    this.#link.finished(this, sequence);
  }

  get #mustWait(): boolean {
    return this.#isPaused || this.#held.length > 0;
  }

  #enter(message: IncomingRequest): void {
    const exchange = new Exchange(this, message);
    if (this.conversation.enter(exchange)) {
      exchange.begin();
    }
  }
}

/** Says for whom a response is; older servers look for `User` (PROTOCOL §9). */
export function addressOf(user: string): Headers {
  return { To: user, User: user };
}

function costOf({ body }: IncomingRequest): number {
  return HELD_COST + body.length;
}

const RETRY = { 'Retry-After': '1' };
