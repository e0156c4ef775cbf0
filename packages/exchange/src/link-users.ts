/**
 * The users of another domain on one link of its server, and their requests from when they are taken in.
 *
 * Invariants: sequence numbers are the link's, each in use until it is answered; a user is known exactly while requests of
 * theirs are not answered; requests are carried out in turns among users, so many at a time that their answers find room.
 */
import type { IncomingRequest, Peer } from '@fosp/connection';
import { type FospError, fospError } from '@fosp/protocol';
import type { Backlogged } from './backlogs.ts';
import type { ConversationParts } from './conversation.ts';
import type { Exchange } from './exchange.ts';
import type { ServerLinkLimits } from './link-limits.ts';
import { RemoteUser, type UsersLink } from './remote-user.ts';
import type { Requests } from './requests.ts';
import type { LinkExtensions } from './server-link-parts.ts';
import { Slots } from './slots.ts';
import type { SharedTransfers } from './transfers.ts';
import { Turns } from './turns.ts';

export interface LinkUsersParts extends ConversationParts {
  readonly limits: ServerLinkLimits;
  readonly requests: Requests;
}

export interface LinkUsersOptions {
  /** Names the link in the log. */
  readonly id: string;
  readonly peer: Peer;
  readonly extensions: LinkExtensions;
  /** Nothing is in flight any more. */
  readonly idle: () => void;
}

export class LinkUsers implements UsersLink, Backlogged {
  readonly id: string;
  readonly peer: Peer;
  readonly extensions: LinkExtensions;
  readonly parts: LinkUsersParts;
  readonly transfers: SharedTransfers;
  readonly lists: Slots;
  readonly #idle: () => void;
  readonly #users = new Map<string, RemoteUser>();
  readonly #inFlight = new Set<number>();
  readonly #turns: Turns;

  constructor(parts: LinkUsersParts, options: LinkUsersOptions) {
    const { limits } = parts;
    this.parts = parts;
    this.id = options.id;
    this.peer = options.peer;
    this.extensions = options.extensions;
    this.#idle = options.idle;
    this.transfers = { small: new Slots(limits.smallFilesPerLink), large: new Slots(1) };
    this.lists = new Slots(limits.listsPerLink);
    this.#turns = new Turns({ places: limits.requestsAtOnce, mayBegin: () => this.#mayBegin() });
  }

  /** Users with requests that are not answered yet. */
  get size(): number {
    return this.#users.size;
  }

  /** Requests that are not answered. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  get isIdle(): boolean {
    return this.#inFlight.size === 0;
  }

  has(sequence: number): boolean {
    return this.#inFlight.has(sequence);
  }

  /** Takes in a request of a user, and answers it; or says why not. */
  take(name: string, message: IncomingRequest): FospError | undefined {
    const known = this.#users.get(name);
    const refusal = known === undefined ? this.#refusalOfUser() : (this.#refusalOfRequest() ?? known.refusal(message));
    if (refusal !== undefined) {
      return refusal;
    }
    const user = known ?? new RemoteUser(name, this);
    this.#users.set(name, user);
    this.#inFlight.add(message.head.sequence);
    user.take(message);
    return undefined;
  }

  /** A request that is nobody's is under way. */
  begin(sequence: number): void {
    this.#inFlight.add(sequence);
  }

  end(sequence: number): void {
    this.#inFlight.delete(sequence);
    if (this.isIdle) {
      this.#idle();
    }
  }

  carryOut(user: RemoteUser, exchange: Exchange): void {
    const { requests } = this.parts;
    if (!this.peer.isOpen) {
      // Whoever asked was told that it is lost, and may have asked anew over another link, which this must not undo.
      exchange.message.stream?.cancel();
      return;
    }
    if (hasSlotsOfItsOwn(exchange)) {
      void requests.carryOut(exchange);
      return;
    }
    this.#turns.enter(user, () => {
      void requests.carryOut(exchange).finally(() => this.#turns.leave());
    });
  }

  finished(user: RemoteUser, sequence: number): void {
    if (user.isIdle) {
      this.#users.delete(user.user);
    }
    this.end(sequence);
  }

  isBacklogged(): boolean {
    if (this.#isBehind) {
      return true;
    }
    this.#turns.proceed();
    return false;
  }

  /** The link is closed: what is not begun never will be. */
  closed(): void {
    this.#turns.clear();
    for (const { conversation } of this.#users.values()) {
      conversation.closed();
    }
  }

  get #isBehind(): boolean {
    return this.peer.isOpen && this.peer.bufferedBytes > this.parts.limits.backlog;
  }

  #mayBegin(): boolean {
    if (this.#isBehind) {
      this.parts.watchBacklog(this);
      return false;
    }
    return true;
  }

  #refusalOfUser(): FospError | undefined {
    return this.#users.size >= this.parts.limits.usersPerLink
      ? tooMany('Too many users of this link wait for an answer.')
      : undefined;
  }

  #refusalOfRequest(): FospError | undefined {
    return this.#inFlight.size >= this.parts.limits.requestsPerLink
      ? tooMany('Too many requests of this link wait for an answer.')
      : undefined;
  }
}

/** They may take long, or wait for their reader, and are bounded by places of their own. */
function hasSlotsOfItsOwn({ type }: Exchange): boolean {
  return type === 'LIST' || type === 'READ' || type === 'WRITE';
}

function tooMany(message: string): FospError {
  return fospError('too-many', `${message} Try again later.`, { headers: { 'Retry-After': '1' } });
}
