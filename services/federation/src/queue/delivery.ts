/**
 * Tells another domain's servers what one domain of ours has for its users, in order, each at least once, however often links, this process
 * or the other side end on the way (PROTOCOL §9, `ack` of §10).
 *
 *     queue ─► in flight (a window) ─► the message link of the tree's domain ─► ACK ─► out of the queue
 *
 * Invariants: what went over a link that ended goes over the next one again, from the first that was not acknowledged on; a
 * notification leaves the queue when it, and all before it, were acknowledged or are not to be told any more. The queue is
 * read only while there is a link, so that any number of domains that are away take no memory.
 */
import type { RemoteLine, RemoteNotification } from '@fosp/bus';
import { CLOSE_CODES } from '@fosp/connection';
import type { Backlogs } from '@fosp/exchange';
import { domainOf } from '@fosp/protocol';
import type { Link } from '../links/link.ts';
import type { LinkEnd } from '../links/link-ear.ts';
import type { MessageUser } from '../links/pair.ts';
import { InFlight } from './in-flight.ts';
import { LinkDelivery } from './link-delivery.ts';
import { type FollowBounds, peek, type QueueFollowing, type RemoteQueue } from './remote-queue.ts';
import { SizeLimit } from './size-limit.ts';
import type { DeliveryTelemetry, Dropped } from './telemetry.ts';

export interface DeliveryLimits extends FollowBounds {
  /** Unsent bytes of a link beyond which no notification is added, so that requests find their way between them. */
  readonly notificationBacklogBytes: number;
  /** Without any acknowledgement of what was sent, after which the link is closed. */
  readonly ackSeconds: number;
  /** After which nobody wants to know any more. */
  readonly queueSeconds: number;
  /** Milliseconds before what failed within this server is tried again; and for looking into the queue. */
  readonly queueRetry: number;
  readonly peekPatience: number;
}

export const DELIVERY_LIMITS: DeliveryLimits = {
  window: 512,
  windowBytes: 2 * 1024 * 1024,
  notificationBacklogBytes: 256 * 1024,
  ackSeconds: 60,
  queueSeconds: 7 * 24 * 3600,
  queueRetry: 1000,
  peekPatience: 5000,
};

/** How the message link with one domain of ours is had. */
export interface Route {
  /** Makes the link where there is none; `MessageUser.opened` is told of it. */
  open(): Promise<Link>;
  /** Milliseconds until that is worth a try. */
  readonly pause: number;
}

export interface DeliveryDeps extends RemoteLine {
  readonly queue: RemoteQueue;
  /** `undefined` for a domain that is none of ours. */
  readonly route: (own: string) => Route | undefined;
  readonly permits: () => boolean;
  readonly limits: DeliveryLimits;
  readonly backlogs: Backlogs;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly telemetry: DeliveryTelemetry;
}

/** Attempts to reach a domain after which it is looked whether anything still waits for it. */
const ATTEMPTS_PER_LOOK = 20;

export class Delivery {
  readonly #deps: DeliveryDeps;
  readonly #inFlight = new InFlight();
  readonly #links = new Map<string, LinkDelivery>();
  readonly #opening = new Set<string>();
  /** The domain of ours whose link was needed when it was looked last, and is not there yet. */
  #needed: string | undefined;
  #attempts = 0;
  #following: Promise<QueueFollowing> | undefined;
  /** Once the queue is not read any more; it has one reader at a time. */
  #unfollowed: Promise<void> = Promise.resolve();
  #beginning: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** What waits longest, as far as is known; milliseconds since the epoch. */
  #oldestAt: number | undefined;
  readonly #sizes = new SizeLimit();
  #isClosed = false;

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
  }

  /** Does anything wait, as far as is known? */
  get isBusy(): boolean {
    return this.#inFlight.size > 0 || this.#beginning !== undefined || this.#retry !== undefined;
  }

  get oldestAt(): number | undefined {
    return this.#inFlight.first?.notification.appendedAt ?? this.#oldestAt;
  }

  /** Who sends over the message link of this domain of ours. */
  userOf(own: string): MessageUser {
    const { inFlight, links } = { inFlight: this.#inFlight, links: this.#links };
    return {
      get isBusy() {
        return inFlight.has(own);
      },
      opened: (link) => this.#opened(own, link),
      closed: (link, end) => this.#closed(own, link, end),
      acknowledged: (link, id) => {
        const delivery = links.get(own);
        if (delivery?.link === link) {
          delivery.acknowledged(id);
        }
      },
    };
  }

  /** Something may wait. What was to be tried later is tried then, but at once where the domain gave a sign of life. */
  wake(isAlive: boolean): void {
    if (this.#isClosed || (this.#retry !== undefined && !isAlive)) {
      return;
    }
    this.#retryNoMore();
    if (this.#following !== undefined) {
      this.#pump();
      return;
    }
    this.#beginning ??= this.#begin()
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#beginning = undefined;
      });
  }

  /** Sends nothing more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retryNoMore();
    for (const delivery of this.#links.values()) {
      delivery.close();
    }
    this.#links.clear();
    await this.#beginning;
    await this.#unfollow();
  }

  /** Finds out which link is needed, unless it is known, and makes it; the rest follows when it is open. */
  async #begin(): Promise<void> {
    const { domain, own: line, limits, permits, queue, route } = this.#deps;
    if (this.#needed !== undefined && permits() && this.#attempts++ < ATTEMPTS_PER_LOOK) {
      this.#open(this.#needed);
      return;
    }
    this.#attempts = 0;
    this.#needed = undefined;
    const first = await peek(queue, { own: line, domain }, limits.peekPatience);
    this.#oldestAt = first?.appendedAt;
    if (first === undefined || this.#isClosed) {
      return;
    }
    const own = domainOf(first.headers.tree);
    const isToldNobody = route(own) === undefined || !permits() || this.#isTooOld(first);
    if (isToldNobody || this.#links.size > 0) {
      await this.#follow();
    } else {
      this.#needed = own;
      this.#open(own);
    }
  }

  #open(own: string): void {
    const way = this.#deps.route(own);
    if (way === undefined || this.#opening.has(own) || this.#isClosed) {
      return;
    }
    if (way.pause > 0) {
      this.#retryIn(way.pause);
      return;
    }
    this.#opening.add(own);
    way
      .open()
      .catch(() => {
        this.#retryIn(Math.max(way.pause, this.#deps.limits.queueRetry));
        if (this.#links.size === 0) {
          void this.#unfollow();
        }
      })
      .finally(() => this.#opening.delete(own));
  }

  #opened(own: string, link: Link): void {
    if (this.#isClosed) {
      return;
    }
    const { backlogs, domain, limits, telemetry } = this.#deps;
    this.#links.get(own)?.close();
    const settled = (count: number) => {
      telemetry.acknowledged(count);
      this.#settle();
    };
    this.#needed = undefined;
    this.#retryNoMore();
    const parts = { own, link, inFlight: this.#inFlight, limits, backlogs, telemetry, domain, settled };
    this.#links.set(own, new LinkDelivery(parts));
    this.#follow().then(
      () => this.#pump(),
      (error: unknown) => this.#failed(error),
    );
  }

  #closed(own: string, link: Link, { code }: LinkEnd): void {
    const delivery = this.#links.get(own);
    if (delivery?.link !== link) {
      return;
    }
    delivery.close();
    this.#links.delete(own);
    if (code === CLOSE_CODES.tooLarge.code) {
      this.#sizes.exceeded(this.#inFlight.largestSent(own)?.notification);
      this.#dropTooLarge(own);
      this.#settle();
    }
    if (this.#inFlight.has(own)) {
      this.#open(own);
    } else if (this.#links.size === 0) {
      void this.#unfollow();
    }
  }

  #dropTooLarge(own: string): void {
    const count = this.#sizes.giveUp(this.#inFlight.behind(own, 0));
    if (count > 0) {
      this.#deps.telemetry.dropped(this.#deps.domain, 'too-large', count);
    }
  }

  async #follow(): Promise<void> {
    const { own, domain, limits, queue } = this.#deps;
    this.#following ??= this.#unfollowed.then(() =>
      queue.follow({ own, domain }, limits, (notifications) => this.#fed(notifications)),
    );
    try {
      await this.#following;
    } catch (error) {
      this.#following = undefined;
      throw error;
    }
  }

  #unfollow(): Promise<void> {
    const following = this.#following;
    if (following !== undefined) {
      this.#following = undefined;
      this.#oldestAt = this.oldestAt;
      this.#inFlight.clear();
      this.#unfollowed = following.then(
        (followed) => followed.stop(),
        () => undefined,
      );
    }
    return this.#unfollowed;
  }

  #fed(notifications: readonly RemoteNotification[]): void {
    if (this.#following === undefined) {
      return;
    }
    this.#inFlight.add(notifications);
    this.#pump();
  }

  #pump(): void {
    for (const own of this.#inFlight.owns()) {
      const why = this.#reasonToDrop(own);
      if (why === undefined) {
        this.#dropOld(own);
        this.#dropTooLarge(own);
        this.#send(own);
      } else {
        this.#drop(own, Number.POSITIVE_INFINITY, why);
      }
    }
    this.#settle();
  }

  #send(own: string): void {
    const delivery = this.#links.get(own);
    if (delivery !== undefined) {
      delivery.send();
    } else if (this.#inFlight.has(own)) {
      this.#open(own);
    }
  }

  #reasonToDrop(own: string): Dropped | undefined {
    if (!this.#deps.permits()) {
      return 'not-permitted';
    }
    return this.#deps.route(own) === undefined ? 'not-ours' : undefined;
  }

  /** Those who wait longest are the first, so the last that is too old says it of all before it. */
  #dropOld(own: string): void {
    let last = 0;
    for (const { notification } of this.#inFlight.behind(own, 0)) {
      if (!this.#isTooOld(notification)) {
        break;
      }
      last = notification.position;
    }
    this.#drop(own, last, 'expired');
  }

  #drop(own: string, position: number, why: Dropped): void {
    const count = this.#inFlight.done(own, position);
    if (count > 0) {
      this.#deps.telemetry.dropped(this.#deps.domain, why, count);
    }
  }

  #settle(): void {
    const position = this.#inFlight.settle();
    if (position !== undefined) {
      void this.#following?.then((following) => following.acknowledge(position));
    }
    if (this.#inFlight.size === 0) {
      this.#oldestAt = undefined;
    }
  }

  #isTooOld({ appendedAt }: RemoteNotification): boolean {
    return this.#deps.clock() - appendedAt > this.#deps.limits.queueSeconds * 1000;
  }

  #failed(error: unknown): void {
    if (!this.#isClosed) {
      this.#deps.telemetry.notRead(this.#deps.domain, error);
      this.#retryIn(this.#deps.limits.queueRetry);
    }
  }

  #retryIn(milliseconds: number): void {
    if (this.#retry === undefined && !this.#isClosed) {
      this.#retry = setTimeout(() => {
        this.#retry = undefined;
        this.wake(false);
      }, milliseconds);
    }
  }

  #retryNoMore(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
  }
}
