/** What one tree had told other domains, as far as it is not known to have left their queues. */
import { domainOf } from '@fosp/protocol';

/** Of one tree, for all other domains together. */
export interface WaitingLimits {
  readonly domains: number;
  readonly notifications: number;
  readonly bytes: number;
}

interface Waiting {
  count: number;
  bytes: number;
  /** Of these, on their way to the queue. */
  underWay: number;
  /** Of these, which whoever began to look last may not have seen in the queue. */
  unseen: number;
  /** It had its share, and took none of it for as long as one waits: nobody waits for it until there is room. */
  isRefused: boolean;
}

/** What holds for one domain: `times` the limits, and without a share of its own, where that is more than 1. */
export interface Bounds {
  readonly limits: WaitingLimits;
  readonly times: number;
}

const NONE: Readonly<Waiting> = { count: 0, bytes: 0, underWay: 0, unseen: 0, isRefused: false };

/** Of the limits, for one domain: so one that is away leaves room for others. */
const SHARE = 1 / 4;
/** Of the limits, below which there is room again for domains that were refused. */
const ROOM = 3 / 4;

export class TreeWaiting {
  /** Of the tree. */
  readonly own: string;
  readonly #domains = new Map<string, Waiting>();
  #count = 0;
  #bytes = 0;
  /** How many times the limits were too few for all domains together: nobody waits for that many until there is room. */
  #refusedTimes = 0;

  constructor(tree: string) {
    this.own = domainOf(tree);
  }

  get domains(): ReadonlyMap<string, Readonly<Waiting>> {
    return this.#domains;
  }

  /** May one more be told to a domain? */
  fits(domain: string, bytes: number, bounds: Bounds): boolean {
    const known = this.#domains.get(domain);
    const share = shareOf(bounds);
    return (
      this.#fitsAll(domain, bytes, bounds) &&
      (known === undefined || (known.count + 1 <= share.notifications && known.bytes + bytes <= share.bytes))
    );
  }

  /** Is it known that there is no use in waiting until it fits? */
  isRefused(domain: string, bytes: number, { limits, times }: Bounds): boolean {
    const isTooLarge = bytes > limits.bytes * times;
    return isTooLarge || times <= this.#refusedTimes || (this.#domains.get(domain)?.isRefused ?? false);
  }

  /** What does not fit was waited for in vain. */
  refuse(domain: string, bytes: number, bounds: Bounds): void {
    const known = this.#domains.get(domain);
    if (known === undefined || !this.#fitsAll(domain, bytes, bounds)) {
      this.#refusedTimes = Math.max(this.#refusedTimes, bounds.times);
    } else {
      known.isRefused = true;
    }
  }

  /** @returns what to call once it is in the queue, or will not be. */
  add(domain: string, bytes: number): () => void {
    const known = this.#domains.get(domain) ?? { ...NONE };
    known.count++;
    known.bytes += bytes;
    known.underWay++;
    known.unseen++;
    this.#domains.set(domain, known);
    this.#count++;
    this.#bytes += bytes;
    return () => {
      known.underWay--;
    };
  }

  /** Somebody begins to look into the queues. */
  beginLook(): void {
    for (const known of this.#domains.values()) {
      known.unseen = known.underWay;
    }
  }

  /** Somebody who looked saw so many waiting for the domain, of whatever tree. */
  seen(domain: string, queued: number, bounds: Bounds): void {
    const known = this.#domains.get(domain);
    if (known === undefined) {
      return;
    }
    const left = Math.min(known.count, queued + known.unseen);
    const bytes = (known.bytes * left) / known.count;
    this.#count -= known.count - left;
    this.#bytes -= known.bytes - bytes;
    known.count = left;
    known.bytes = bytes;
    const share = shareOf(bounds);
    known.isRefused &&= left >= share.notifications * ROOM || bytes >= share.bytes * ROOM;
    if (left === 0) {
      this.#domains.delete(domain);
    }
  }

  /** All domains were seen. */
  endLook({ domains, notifications, bytes }: WaitingLimits): void {
    const room = this.#refusedTimes * ROOM;
    const hasRoom =
      this.#count < notifications * room && this.#bytes < bytes * room && this.#domains.size < domains * room;
    this.#refusedTimes = hasRoom ? 0 : this.#refusedTimes;
  }

  #fitsAll(domain: string, bytes: number, { limits, times }: Bounds): boolean {
    return (
      this.#count + 1 <= limits.notifications * times &&
      this.#bytes + bytes <= limits.bytes * times &&
      (this.#domains.has(domain) || this.#domains.size < limits.domains * times)
    );
  }
}

/** What one domain may have, of which the first is let in whatever its size. */
function shareOf({ limits, times }: Bounds): Pick<WaitingLimits, 'notifications' | 'bytes'> {
  const share = times > 1 ? times : SHARE;
  return { notifications: limits.notifications * share, bytes: limits.bytes * share };
}
