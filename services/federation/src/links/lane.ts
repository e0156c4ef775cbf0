/**
 * The links of one kind between two domains, and the requests that go over them: dialled when there is something to send,
 * shared fairly among users, closed when nobody uses them.
 *
 * Invariants: what was handed to a link is never handed to another one; what was not waits for the next link, until that
 * cannot be had or its time is over. Nothing here waits for, or takes room from, another domain.
 */
import type { Backlogged, Backlogs } from '@fosp/exchange';
import { type FospError, fospError } from '@fosp/protocol';
import { bound, detached } from '@fosp/runtime';
import { FairQueue, type FairQueueLimits, type Waiting } from './fair-queue.ts';
import type { Link } from './link.ts';
import type { LinkEnd } from './link-ear.ts';

export interface LaneLimits extends FairQueueLimits {
  /** For a request to be sent. */
  readonly waitSeconds: number;
  /** Unsent bytes of a link, beyond which it is handed nothing more. */
  readonly backlogBytes: number;
  /** For the other side to close a link that it had us leave, once nothing is under way on it. */
  readonly closeSeconds: number;
}

export interface LaneOptions {
  /** The other domain. */
  readonly domain: string;
  /** At most. */
  readonly links: number;
  /** Requests under way on one link; of one user on all. */
  readonly perLink: number;
  readonly perUser: number;
  readonly limits: LaneLimits;
  readonly idleSeconds: number;
  /** Makes another link; rejects at once where that is not worth a try now. */
  readonly connect: () => Promise<Link>;
  /** Why it would do so. */
  readonly refusal: () => FospError | undefined;
  /** Milliseconds until another link may be made. */
  readonly dialPause: () => number;
  /** Is this link kept, though no request is under way? */
  readonly isKept: (link: Link) => boolean;
  readonly opened: (link: Link) => void;
  readonly closed: (link: Link, end: LinkEnd) => void;
  readonly backlogs: Backlogs;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

export interface Asked extends Waiting {
  /** Milliseconds that it may wait to be sent, where that is less than others may. */
  readonly patience?: number;
}

interface Entry extends Waiting {
  readonly begin: (use: Use) => void;
  readonly fail: (error: unknown) => void;
  isBegun: boolean;
  late: NodeJS.Timeout | undefined;
}

/** An open link, and what is done with it. */
interface Use {
  readonly link: Link;
  underWay: number;
  usedAt: number;
  heard: number;
  /** Whoever waits until nothing is under way. */
  ended: (() => void) | undefined;
  closing: NodeJS.Timeout | undefined;
}

export class Lane implements Backlogged {
  readonly #options: LaneOptions;
  readonly #queue: FairQueue<Entry>;
  readonly #links = new Map<Link, Use>();
  #dialling: Promise<Link> | undefined;
  #lookAgain: NodeJS.Timeout | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #underWay = 0;
  #closing: FospError | undefined;
  #idle: (() => void) | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#queue = new FairQueue(options.perUser, options.limits);
  }

  /** Open links, with what is under way on each. */
  get links(): ReadonlyMap<Link, { readonly underWay: number }> {
    return this.#links;
  }

  get isDialling(): boolean {
    return this.#dialling !== undefined;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  get underWay(): number {
    return this.#underWay;
  }

  /**
   * Does something over a link as soon as it is this user's turn: once, or never. `work` must not be done again where it fails.
   *
   * @throws FospError `too-many`, `unavailable` where too much waits, `unreachable` where there is no link to be had or it took
   * too long to get one, what `work` throws
   */
  run<T>(asked: Asked, given: (link: Link) => Promise<T>): Promise<T> {
    // It may be begun when another one ends.
    const work = bound(given);
    if (this.#closing !== undefined) {
      return Promise.reject(this.#closing);
    }
    if (this.#links.size === 0 && this.#dialling === undefined) {
      const refusal = this.#options.refusal();
      if (refusal !== undefined) {
        return Promise.reject(refusal);
      }
    }
    const use = this.#freeLink();
    return use !== undefined && this.#queue.begin(asked.user)
      ? this.#carryOut(use, asked.user, work)
      : this.#wait(asked, work);
  }

  /** An open link, made where there is none. Rejects as `LaneOptions.connect` does. */
  open(): Promise<Link> {
    const [link] = this.#openLinks;
    return link === undefined ? this.#dial() : Promise.resolve(link);
  }

  isBacklogged(): boolean {
    const links = this.#openLinks;
    const isBehind = links.length > 0 && links.every((link) => this.#isBehind(link));
    if (!isBehind) {
      this.#proceed();
    }
    return isBehind;
  }

  /** This link takes nothing more: what waits goes over others. Resolves once nothing is under way on it. To be called once. */
  async left(link: Link): Promise<void> {
    const use = this.#links.get(link);
    this.#proceed();
    if (use === undefined) {
      return;
    }
    if (use.underWay > 0) {
      await new Promise<void>((resolve) => {
        use.ended = resolve;
      });
    }
    this.#closeLeft(use);
  }

  /** What waits fails with this error, and so does what comes. Resolves once nothing is under way. */
  async finish(error: FospError): Promise<void> {
    this.#closing = error;
    this.#failWaiting(error);
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
  }

  /** Ends all links, whatever is under way. */
  close(code: number, reason: string): void {
    clearTimeout(this.#lookAgain);
    for (const link of this.#links.keys()) {
      link.close(code, reason);
    }
  }

  /** Those that take requests. */
  get #openLinks(): Link[] {
    return [...this.#links.keys()].filter(({ isOpen }) => isOpen);
  }

  async #wait<T>({ user, bytes, patience }: Asked, work: (link: Link) => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const begin = (use: Use) => resolve(this.#carryOut(use, user, work));
    const entry: Entry = { user, bytes, begin, fail: reject, isBegun: false, late: undefined };
    this.#queue.add(entry);
    this.#proceed();
    if (!entry.isBegun) {
      const longest = this.#options.limits.waitSeconds * 1000;
      entry.late = setTimeout(() => this.#tooLate(entry), Math.min(longest, patience ?? longest));
    }
    return promise;
  }

  #proceed(): void {
    while (this.#queue.hasNext) {
      const use = this.#freeLink();
      const entry = use === undefined ? undefined : this.#queue.next();
      if (use === undefined || entry === undefined) {
        this.#dialIfNeeded();
        return;
      }
      clearTimeout(entry.late);
      entry.isBegun = true;
      entry.begin(use);
    }
  }

  #carryOut<T>(use: Use, user: string, work: (link: Link) => Promise<T>): Promise<T> {
    this.#underWay++;
    this.#use(use, 1);
    const ended = () => {
      this.#underWay--;
      this.#use(use, -1);
      this.#queue.finished(user);
      this.#proceed();
      if (this.#underWay === 0) {
        this.#idle?.();
      }
    };
    const result = attempt(work, use.link);
    result.then(ended, ended);
    return result;
  }

  #use(use: Use, more: 1 | -1): void {
    use.underWay += more;
    use.usedAt = this.#options.clock();
    if (use.underWay === 0) {
      use.ended?.();
    }
  }

  /** The one that has the least to do. */
  #freeLink(): Use | undefined {
    let best: Use | undefined;
    let least = this.#options.perLink;
    for (const use of this.#links.values()) {
      if (use.underWay < least && use.link.isOpen && !this.#isBehind(use.link)) {
        best = use;
        least = use.underWay;
      }
    }
    return best;
  }

  #isBehind(link: Link): boolean {
    return link.bufferedBytes > this.#options.limits.backlogBytes;
  }

  #dialIfNeeded(): void {
    const { backlogs, links, dialPause } = this.#options;
    const open = this.#openLinks.length;
    if (open >= links) {
      backlogs.watch(this);
      return;
    }
    if (this.#dialling !== undefined || this.#lookAgain !== undefined) {
      return;
    }
    const pause = dialPause();
    if (pause > 0) {
      this.#lookAgain = setTimeout(() => {
        this.#lookAgain = undefined;
        this.#proceed();
      }, pause);
      return;
    }
    this.#dial().catch((error: unknown) => {
      if (this.#openLinks.length === 0) {
        this.#failWaiting(error);
      }
    });
  }

  #dial(): Promise<Link> {
    if (this.#closing !== undefined) {
      return Promise.reject(this.#closing);
    }
    // The link is for all who come.
    this.#dialling ??= detached(() => this.#options.connect()).then(
      (link) => {
        this.#dialling = undefined;
        this.#opened(link);
        return link;
      },
      (error: unknown) => {
        this.#dialling = undefined;
        throw error;
      },
    );
    return this.#dialling;
  }

  #opened(link: Link): void {
    const { clock, opened, perUser } = this.#options;
    const use: Use = { link, underWay: 0, usedAt: clock(), heard: 0, ended: undefined, closing: undefined };
    this.#links.set(link, use);
    if (link.isLeft) {
      this.#closeLeft(use);
    }
    this.#queue.perUser = Math.min(perUser, link.facts.requests ?? perUser);
    void link.closed.then((end) => this.#closed(link, end));
    if (this.#closing !== undefined) {
      link.close(1001, '');
      return;
    }
    this.#idleTimer ??= setInterval(() => this.#closeIdle(), this.#options.idleSeconds * 250).unref();
    opened(link);
    this.#proceed();
  }

  /** Who leaves links and never closes them shall not have us keep them all. */
  #closeLeft(use: Use): void {
    const { closeSeconds } = this.#options.limits;
    const close = () => use.link.close(1000, 'This link was left, and not closed.');
    use.closing = setTimeout(close, closeSeconds * 1000).unref();
  }

  #closed(link: Link, end: LinkEnd): void {
    clearTimeout(this.#links.get(link)?.closing);
    this.#links.delete(link);
    if (this.#links.size === 0) {
      clearInterval(this.#idleTimer);
      this.#idleTimer = undefined;
    }
    this.#options.closed(link, end);
    this.#proceed();
  }

  #closeIdle(): void {
    const { clock, idleSeconds, isKept } = this.#options;
    for (const [link, use] of this.#links) {
      const isNeeded = !link.isLeft && (link.heard !== use.heard || isKept(link));
      if (isNeeded || use.underWay > 0) {
        use.heard = link.heard;
        use.usedAt = clock();
      } else if (clock() - use.usedAt >= idleSeconds * 1000) {
        link.close(1000, 'This link was not used for a while.');
      }
    }
  }

  #tooLate(entry: Entry): void {
    if (this.#queue.remove(entry)) {
      const { domain, limits } = this.#options;
      const text = `${domain} cannot be reached in time: a request could not be sent within ${limits.waitSeconds} seconds.`;
      entry.fail(fospError('unreachable', text));
    }
  }

  #failWaiting(error: unknown): void {
    for (const entry of this.#queue.clear()) {
      clearTimeout(entry.late);
      entry.fail(error);
    }
  }
}

function attempt<T>(work: (link: Link) => Promise<T>, link: Link): Promise<T> {
  try {
    return work(link);
  } catch (error) {
    return Promise.reject(error);
  }
}
