/**
 * Which other domains this process talks to: each domain belongs to one process at a time, the first that was asked, by a lease
 * on its name (DESIGN "Federation").
 *
 * Invariants: a domain is asked for by whoever wants something of it (`adopt`), or because something waits for it; one that
 * nobody needs any more is given up. A domain whose owner died is taken over as soon as its lease has ended.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Bus, FEDERATION, subjectToken } from '@fosp/bus';
import { fospError, normaliseDomain } from '@fosp/protocol';
import type { Discovery } from '../discovery/discovery.ts';
import { notFederated } from '../policy/policy.ts';
import { OwnedDomain } from './owned-domain.ts';
import type { PeerDomain } from './peer-domain.ts';
import type { OwnershipTelemetry } from './telemetry.ts';

export interface OwnershipLimits {
  /** Domains of one process; for one more another is given up, or it is refused with 503 where all are in use. */
  readonly domainsOwned: number;
  /** Domains with a label of their own in metrics: see `PeerLabels`. */
  readonly domainsLabelled: number;
  /** Calls at one domain at once; one more is refused with 503. */
  readonly callsPerDomain: number;
  /** After which a domain that nobody needs is given up. */
  readonly ownerIdleSeconds: number;
  /** Milliseconds between two looks whether a domain that somebody else has is served, or free. */
  readonly adoptionPause: number;
  /** For somebody to take a domain, whose last owner may have died just now. */
  readonly adoptionSeconds: number;
  /** For what is under way on a domain that is given up. */
  readonly finishSeconds: number;
}

export const OWNERSHIP_LIMITS: OwnershipLimits = {
  domainsOwned: 10_000,
  domainsLabelled: 50,
  callsPerDomain: 5000,
  ownerIdleSeconds: 60,
  adoptionPause: 200,
  adoptionSeconds: 8,
  finishSeconds: 12,
};

export interface OwnershipDeps {
  readonly bus: Bus;
  readonly discovery: Pick<Discovery, 'find'>;
  readonly permits: (domain: string) => boolean;
  readonly newPeer: (domain: string) => PeerDomain;
  readonly limits: OwnershipLimits;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly telemetry: OwnershipTelemetry;
}

export class Ownership {
  readonly #deps: OwnershipDeps;
  readonly #owned = new Map<string, OwnedDomain>();
  readonly #acquiring = new Map<string, Promise<boolean>>();
  #isClosed = false;

  constructor(deps: OwnershipDeps) {
    this.#deps = deps;
  }

  get peers(): readonly PeerDomain[] {
    return Array.from(this.#owned.values(), ({ peer }) => peer);
  }

  /** The domain, where it is this process' own. */
  get(domain: string): PeerDomain | undefined {
    const owned = this.#owned.get(domain);
    return owned === undefined || owned.isEnding ? undefined : owned.peer;
  }

  /**
   * Sees to it that somebody serves the calls at this domain: resolves when somebody does, in so many seconds at most.
   *
   * @throws FospError `forbidden`, `unreachable`, `wrong-server`, `unavailable`
   */
  async adopt(given: string, seconds: number): Promise<void> {
    const { bus, clock, discovery, limits, permits } = this.#deps;
    const domain = normaliseDomain(given);
    if (!permits(domain)) {
      throw notFederated(domain);
    }
    // Names that nobody has must not cost more than a lookup.
    await discovery.find(domain);
    const deadline = clock() + seconds * 1000;
    while (clock() < deadline) {
      if (await this.acquire(domain)) {
        return;
      }
      if ((await bus.askAt(FEDERATION.peer, domain, {})) !== undefined) {
        return;
      }
      await pause(limits.adoptionPause);
    }
    throw fospError('unavailable', `Nobody here talks to ${domain} yet. Try again.`, {
      headers: { 'Retry-After': '1' },
    });
  }

  /** Takes the domain, where it is free. @returns whether it is this process' own */
  acquire(domain: string): Promise<boolean> {
    if (this.get(domain) !== undefined) {
      return Promise.resolve(true);
    }
    const running = this.#acquiring.get(domain);
    if (running !== undefined) {
      return running;
    }
    const acquiring = this.#acquire(domain).finally(() => this.#acquiring.delete(domain));
    this.#acquiring.set(domain, acquiring);
    return acquiring;
  }

  closeLinks(code: number, reason: string): void {
    for (const peer of this.peers) {
      peer.closeLinks(code, reason);
    }
  }

  /** Gives up what nobody needs. */
  async giveUpIdle(): Promise<void> {
    const longest = this.#deps.limits.ownerIdleSeconds * 1000;
    const idle = [...this.#owned.values()].filter(({ peer }) => peer.isIdleFor(longest));
    await Promise.all(idle.map((owned) => owned.release()));
  }

  /** Gives all up, in order. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#acquiring.values());
    await Promise.all(Array.from(this.#owned.values(), (owned) => owned.release()));
  }

  /** The one that was of no use for longest, of those that are of none now: whoever makes up domains keeps nobody from others. */
  #giveOneUp(): boolean {
    const now = this.#deps.clock();
    let [idle, usedAt]: [OwnedDomain | undefined, number] = [undefined, now];
    for (const owned of this.#owned.values()) {
      if (owned.peer.usedAt < usedAt && !owned.isEnding) {
        [idle, usedAt] = [owned, owned.peer.usedAt];
      }
    }
    void idle?.release();
    return idle !== undefined;
  }

  async #acquire(domain: string): Promise<boolean> {
    const { bus, limits, newPeer, telemetry } = this.#deps;
    // One that is given up just now is free after that.
    await this.#owned.get(domain)?.ended;
    if (this.#isClosed) {
      return false;
    }
    if (this.#owned.size >= limits.domainsOwned && !this.#giveOneUp()) {
      throw fospError('unavailable', 'This server talks to too many domains. Try again later.', {
        headers: { 'Retry-After': '5' },
      });
    }
    const lease = await bus.lease(`peer.${subjectToken(domain)}`);
    if (lease === undefined) {
      return false;
    }
    const owned = new OwnedDomain(newPeer(domain), lease, { bus, ...limits });
    this.#owned.set(domain, owned);
    telemetry.acquired(domain);
    void owned.ended.then(() => {
      this.#owned.delete(domain);
      telemetry.gaveUp(domain);
    });
    try {
      await owned.serve();
    } catch (error) {
      await owned.release();
      throw error;
    }
    owned.peer.wake(false);
    return !owned.isEnding;
  }
}
