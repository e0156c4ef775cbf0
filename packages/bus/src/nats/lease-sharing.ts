/**
 * Shares leases among all processes that want them: each holds at most its fair share of a group, rounded up, hands over
 * what is beyond that when others come, and takes what is free when they go.
 *
 * Invariant: within this process a lease is worked for by one taker at a time, the longest-standing one, and released
 * only after it returned. Lifecycle: `want` until its `stop`; `close` stops all.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { BusSubscription } from '../transport.ts';
import type { Leases } from './lease.ts';
import type { Lease } from './recorded-lease.ts';

export interface Wanted {
  readonly name: string;
  /** Leases are shared evenly within a group. */
  readonly group: string;
  /** Works for the lease; returns soon after it is lost, or `ending` is aborted. May reject: it is tried again later. */
  readonly work: (lease: Lease, ending: AbortSignal) => Promise<void>;
}

/** Milliseconds before work that failed is tried again, here or elsewhere. */
const FAILURE_PAUSE = 500;

interface Work {
  readonly taker: Wanted;
  readonly ending: AbortController;
  readonly ended: Promise<void>;
}

/** One name, with all who want it in this process. */
interface Place {
  readonly name: string;
  readonly group: string;
  readonly takers: Wanted[];
  work: Work | undefined;
}

export class LeaseSharing {
  readonly #leases: Leases;
  readonly #warn: (text: string) => void;
  readonly #places = new Map<string, Place>();
  #settling: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(leases: Leases, warn: (text: string) => void) {
    this.#leases = leases;
    this.#warn = warn;
    leases.onChange(() => void this.#settle());
  }

  /** Resolves after the first attempt to get the lease. */
  async want(wanted: Wanted): Promise<BusSubscription> {
    const { name, group } = wanted;
    const place = this.#places.get(name) ?? { name, group, takers: [], work: undefined };
    this.#places.set(name, place);
    place.takers.push(wanted);
    await this.#leases.start();
    await this.#leases.members.join(group);
    await this.#settle();
    let stopped: Promise<void> | undefined;
    return {
      stop: () => {
        stopped ??= this.#stop(place, wanted);
        return stopped;
      },
    };
  }

  /** Resolves once nobody works; the leases are released. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#places.values()].map((place) => end(place)));
    await this.#settling;
    await Promise.all([...this.#places.values()].map((place) => end(place)));
  }

  async #stop(place: Place, taker: Wanted): Promise<void> {
    place.takers.splice(place.takers.indexOf(taker), 1);
    if (place.takers.length === 0) {
      this.#places.delete(place.name);
      if (this.#placesOf(place.group).length === 0) {
        await this.#leases.members.leave(place.group);
      }
    }
    if (place.work?.taker === taker || place.takers.length === 0) {
      await end(place);
    }
    void this.#settle();
  }

  /** One at a time; what changes meanwhile is looked at right after. */
  async #settle(): Promise<void> {
    this.#again = true;
    this.#settling ??= this.#settleAll().finally(() => {
      this.#settling = undefined;
    });
    await this.#settling;
  }

  async #settleAll(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      const groups = new Set([...this.#places.values()].map(({ group }) => group));
      for (const group of groups) {
        await this.#settleGroup(group);
      }
    }
  }

  async #settleGroup(group: string): Promise<void> {
    const places = this.#placesOf(group);
    const share = Math.ceil(places.length / Math.max(1, this.#leases.members.countIn(group)));
    const held = places.filter(({ work }) => work !== undefined);
    for (const { work } of held.slice(share)) {
      work?.ending.abort();
    }
    let room = share - held.length;
    for (const place of places) {
      if (room > 0 && place.work === undefined && !this.#closed) {
        room -= (await this.#take(place)) ? 1 : 0;
      }
    }
  }

  async #take(place: Place): Promise<boolean> {
    const lease = await this.#leases.acquire(place.name);
    if (lease === undefined) {
      return false;
    }
    const [taker] = place.takers;
    if (taker === undefined || this.#closed) {
      await lease.release();
      return false;
    }
    const ending = new AbortController();
    place.work = { taker, ending, ended: this.#run(place, { taker, lease, ending: ending.signal }) };
    return true;
  }

  async #run(place: Place, run: { taker: Wanted; lease: Lease; ending: AbortSignal }): Promise<void> {
    try {
      await run.taker.work(run.lease, run.ending);
    } catch (error) {
      if (!run.lease.lost.aborted) {
        this.#warn(`Work for ${place.name} ended and will be tried again: ${String(error)}`);
        await pause(FAILURE_PAUSE, undefined, { signal: run.ending }).catch(() => undefined);
      }
    }
    await run.lease.release();
    place.work = undefined;
  }

  #placesOf(group: string): Place[] {
    return [...this.#places.values()].filter((place) => place.group === group);
  }
}

async function end(place: Place): Promise<void> {
  place.work?.ending.abort();
  await place.work?.ended;
}
