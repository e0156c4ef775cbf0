/**
 * What users' sessions in this process are told (SPEC §6.2, DESIGN "Notifications").
 *
 * Invariants: this process listens to a user's subject exactly while sessions of theirs are here; `join` resolves once
 * nothing published later is missed; every session gets the notifications of a tree in the order of its changes, each
 * once: one that is not above the last of its tree is a repeat, and dropped. What another domain's server sent is counted
 * per domain instead, or, where that numbers nothing, told as it comes. Where some may have been missed, the sessions that
 * were there, and are being closed for it, are told no more: none has a hole and then goes on.
 *
 * Trees of others may have subscribed a user who does not know them. So that nobody can flood a stranger's connection
 * shut, each source has a rate of bytes per user; another domain is one source, since it may make up any number of users.
 * What goes over the rate is dropped, and counted, for sessions that are behind with reading; one that keeps up gets all.
 */
import type { Bus, BusSubscription, UserEventHeaders } from '@fosp/bus';
import { KeyedRate, type Rate } from '@fosp/exchange';
import { fospError } from '@fosp/protocol';
import type { GatewayTelemetry } from './telemetry.ts';

/** A session, as its user's listener sees it. */
export interface Listener {
  /** Names the session in `revoked` events. */
  readonly id: string;
  /** A large part of what it may leave unread is waiting. */
  readonly isBehind: boolean;
  /** A whole FOSP message. */
  notify(message: Uint8Array): void;
  /** Its user's password changed, or the account is no more: it ends. */
  revoke(): void;
}

export interface NotificationLimits {
  /** Bytes from one source to one user; a notification counts as `LEAST_COST` at least. */
  readonly rate: Rate;
  /** Trees and sources that are remembered per user. */
  readonly remembered: number;
}

export interface UsersOptions {
  readonly bus: Bus;
  readonly limits: NotificationLimits;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly telemetry: Pick<GatewayTelemetry, 'notified' | 'notificationDropped' | 'notificationRepeated'>;
}

const LEAST_COST = 1024;
const RETRY = { 'Retry-After': '1' };

interface Position {
  sequence: number;
  part: number;
}

interface User {
  readonly name: string;
  readonly sessions: Set<Listener>;
  subscription: Promise<BusSubscription> | undefined;
  /** Last notification by tree. Most sessions never get one, so both maps are made at the first. */
  last: Map<string, Position> | undefined;
  rates: KeyedRate | undefined;
}

export class Users {
  readonly #options: UsersOptions;
  readonly #users = new Map<string, User>();
  /** Those that may have missed something. */
  readonly #interrupted = new WeakSet<Listener>();

  constructor(options: UsersOptions) {
    this.#options = options;
    options.bus.onGap(() => this.#interrupt());
  }

  /** Users with a session here. */
  get size(): number {
    return this.#users.size;
  }

  /** Adds a session of a user. Rejects with `unavailable` where the bus cannot be listened to; it is then not there. */
  async join(name: string, session: Listener): Promise<void> {
    const known = this.#users.get(name);
    const user = known ?? { name, sessions: new Set(), subscription: undefined, last: undefined, rates: undefined };
    user.sessions.add(session);
    if (known === undefined) {
      this.#users.set(name, user);
      user.subscription = this.#options.bus.onUser(name, (headers, body) => this.#told(user, headers, body));
    }
    try {
      await user.subscription;
    } catch (cause) {
      this.leave(name, session);
      throw fospError('unavailable', 'Notifications cannot be had now. Try again.', { headers: RETRY, cause });
    }
  }

  /** Removes a session; with the last one the user's subject is no longer listened to. */
  leave(name: string, session: Listener): void {
    const user = this.#users.get(name);
    if (user === undefined || !user.sessions.delete(session) || user.sessions.size > 0) {
      return;
    }
    this.#users.delete(name);
    // A subscription that never came about needs no end; its failure was told to whoever joined.
    user.subscription?.then((subscription) => subscription.stop()).catch(() => {});
  }

  #told(user: User, headers: UserEventHeaders, body: Uint8Array): void {
    switch (headers.event) {
      case 'notification':
        if (this.#isNews(user, headers.tree, Number(headers.sequence), Number(headers.part))) {
          this.#notify(user, headers.source, body, headers.tree === user.name);
        } else {
          this.#options.telemetry.notificationRepeated();
        }
        return;
      case 'unnumbered-notification':
        this.#notify(user, headers.source, body);
        return;
      case 'revoked':
        for (const session of user.sessions) {
          if (session.id !== headers.except) {
            session.revoke();
          }
        }
    }
  }

  #notify(user: User, source: string, body: Uint8Array, isOwnTree = false): void {
    const isExcess = !isOwnTree && source !== user.name && !this.#isWithinRate(user, source, body);
    let told = 0;
    for (const session of user.sessions) {
      if (this.#interrupted.has(session)) {
        continue;
      }
      if (isExcess && session.isBehind) {
        this.#options.telemetry.notificationDropped();
      } else {
        session.notify(body);
        told++;
      }
    }
    this.#options.telemetry.notified(told);
  }

  #interrupt(): void {
    for (const { sessions } of this.#users.values()) {
      for (const session of sessions) {
        this.#interrupted.add(session);
      }
    }
  }

  #isWithinRate(user: User, source: string, body: Uint8Array): boolean {
    user.rates ??= new KeyedRate(this.#options.limits.rate, this.#options.limits.remembered);
    return user.rates.take(source, Math.max(LEAST_COST, body.length), this.#options.clock());
  }

  #isNews(user: User, tree: string, sequence: number, part: number): boolean {
    user.last ??= new Map();
    const last = user.last.get(tree);
    if (last === undefined) {
      user.last.set(tree, { sequence, part });
      if (user.last.size > this.#options.limits.remembered) {
        const [oldest = tree] = user.last.keys();
        user.last.delete(oldest);
      }
      return true;
    }
    if (sequence < last.sequence || (sequence === last.sequence && part <= last.part)) {
      return false;
    }
    last.sequence = sequence;
    last.part = part;
    return true;
  }
}
