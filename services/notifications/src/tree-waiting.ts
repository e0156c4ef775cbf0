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
}

const NONE: Readonly<Waiting> = { count: 0, bytes: 0, underWay: 0, unseen: 0 };

/** Of the limits, for one domain: so one that is away leaves room for others. */
const SHARE = 1 / 4;
/** Of the limits, below which there is room again for domains that were refused. */
const ROOM = 3 / 4;

export class TreeWaiting {
  /** Of the tree. */
  readonly own: string;
  /** Was it too much at the last look? Then nobody waits for the next one. */
  isRefused = false;
  readonly #domains = new Map<string, Waiting>();
  #count = 0;
  #bytes = 0;

  constructor(tree: string) {
    this.own = domainOf(tree);
  }

  get domains(): ReadonlyMap<string, Readonly<Waiting>> {
    return this.#domains;
  }

  /** May one more be told to a domain? `times` the limits, and without a share of its own, where that is more than 1. */
  fits(
    domain: string,
    bytes: number,
    { limits, times }: { readonly limits: WaitingLimits; readonly times: number },
  ): boolean {
    const known = this.#domains.get(domain) ?? NONE;
    const share = times > 1 ? times : SHARE;
    return (
      this.#count + 1 <= limits.notifications * times &&
      this.#bytes + bytes <= limits.bytes * times &&
      known.count + 1 <= limits.notifications * share &&
      known.bytes + bytes <= limits.bytes * share &&
      (this.#domains.has(domain) || this.#domains.size < limits.domains * times)
    );
  }

  hasRoom({ domains, notifications, bytes }: WaitingLimits): boolean {
    return this.#count < notifications * ROOM && this.#bytes < bytes * ROOM && this.#domains.size < domains * ROOM;
  }

  add(domain: string, bytes: number): void {
    const known = this.#domains.get(domain) ?? { ...NONE };
    known.count++;
    known.bytes += bytes;
    known.underWay++;
    known.unseen++;
    this.#domains.set(domain, known);
    this.#count++;
    this.#bytes += bytes;
  }

  /** One that was added is in the queue, or will not be. */
  arrived(domain: string): void {
    const known = this.#domains.get(domain);
    if (known !== undefined) {
      known.underWay--;
    }
  }

  /** Somebody begins to look into the queues. */
  beginLook(): void {
    for (const known of this.#domains.values()) {
      known.unseen = known.underWay;
    }
  }

  /** Somebody who looked saw so many waiting for the domain, of whatever tree. */
  seen(domain: string, queued: number): void {
    const known = this.#domains.get(domain);
    const left = queued + (known?.unseen ?? 0);
    if (known === undefined || left >= known.count) {
      return;
    }
    const bytes = (known.bytes * left) / known.count;
    this.#count -= known.count - left;
    this.#bytes -= known.bytes - bytes;
    known.count = left;
    known.bytes = bytes;
    if (left === 0) {
      this.#domains.delete(domain);
    }
  }
}
