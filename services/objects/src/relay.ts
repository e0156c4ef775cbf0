/**
 * Hands the events in the outbox to the stream `changes`.
 *
 * Invariants: events of one tree leave in the order of its sequence, each once the one before it is kept by the stream; only
 * what is durable leaves; an event goes from the outbox after the stream has it, so that a crash repeats events and loses
 * none (consumers drop what is not above the last of its tree). Trees wait for none but themselves: one whose events fail is
 * tried again after growing pauses. `relayTrees` bounds how many are at it at once; those beyond stay in the outbox, where
 * a look every `sweepInterval` finds them, as it finds what a crash left behind. Whoever is told of a change finds it: what is
 * left behind may be cached as it was before, so the cache is told first.
 */
import type { Bus } from '@fosp/bus';
import { backOff, waitAtMost } from '@fosp/runtime';
import type { Cache } from './cache/cache.ts';
import type { ObjectsLimits } from './limits.ts';
import type { Store } from './store/store.ts';
import type { Telemetry } from './telemetry.ts';

export interface RelayDeps {
  readonly bus: Bus;
  readonly store: Store;
  readonly cache: Pick<Cache, 'invalidate'>;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** 0 … 1, as `Math.random`. */
  readonly random: () => number;
  readonly limits: ObjectsLimits;
  readonly telemetry: Pick<Telemetry, 'relayed' | 'relayFailed' | 'sweepFailed'>;
}

interface Running {
  /** Whoever made the changes may have died before the cache was told. */
  isLeftBehind: boolean;
  /** There may be more than was read. */
  again: boolean;
  failures: number;
}

export class Relay {
  readonly #deps: RelayDeps;
  readonly #running = new Map<string, Running>();
  /** Of trees whose events failed, until they are tried again. */
  readonly #pauses = new Map<string, NodeJS.Timeout>();
  #sweeper: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> | undefined;
  /** Failures are not tried again. */
  #isStopping = false;
  /** Nothing is begun. */
  #isStopped = false;
  #whenIdle: PromiseWithResolvers<void> | undefined;

  constructor(deps: RelayDeps) {
    this.#deps = deps;
  }

  /** Relays what a crash left behind, and looks for more now and then. */
  start(): void {
    this.sweep();
    this.#sweeper = setInterval(() => this.sweep(), this.#deps.limits.sweepInterval).unref();
  }

  /** A tree has a new event, durable, of which the cache is told. */
  notice(tree: string): void {
    this.#attend(tree, false);
  }

  #attend(tree: string, isLeftBehind: boolean): void {
    const running = this.#running.get(tree);
    if (running !== undefined) {
      running.again = true;
    } else if (!this.#isStopped && this.#running.size < this.#deps.limits.relayTrees) {
      this.#begin(tree, isLeftBehind);
    }
  }

  /** Looks for trees whose events nobody relays, and drops what fan-out no longer needs. */
  sweep(): void {
    this.#sweeping ??= this.#sweepOnce()
      .catch((error) => this.#deps.telemetry.sweepFailed(error))
      .finally(() => {
        this.#sweeping = undefined;
      });
  }

  /** Trees whose events are on their way, or are tried again soon. */
  get trees(): number {
    return this.#running.size;
  }

  /** Resolves once no event is on its way, nor any waits that could be. */
  async settled(): Promise<void> {
    await this.#sweeping;
    if (this.#running.size > 0) {
      this.#whenIdle ??= Promise.withResolvers();
      await this.#whenIdle.promise;
    }
  }

  /** Lets the events that wait arrive, for a while. The rest goes out after the next start. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearInterval(this.#sweeper);
    for (const [tree, pause] of this.#pauses) {
      clearTimeout(pause);
      this.#end(tree);
    }
    await waitAtMost(this.#deps.limits.drainPatience, this.settled());
    this.#isStopped = true;
  }

  #begin(tree: string, isLeftBehind: boolean): void {
    const running: Running = { isLeftBehind, again: false, failures: 0 };
    this.#running.set(tree, running);
    void this.#run(tree, running);
  }

  async #run(tree: string, running: Running): Promise<void> {
    try {
      do {
        running.again = false;
      } while ((await this.#relaySome(tree, running)) || running.again);
      this.#end(tree);
    } catch (error) {
      this.#retry(tree, running, error);
    }
  }

  /** Relays some events of a tree; whether there may be more. */
  async #relaySome(tree: string, running: Running): Promise<boolean> {
    const { bus, store, cache, clock, limits, telemetry } = this.#deps;
    const events = await store.outbox.take(tree, limits.relayEvents);
    const taken = performance.now();
    if (running.isLeftBehind && events.length > 0) {
      await cache.invalidate({ tree, path: '', wide: true });
      running.isLeftBehind = false;
    }
    let last: number | undefined;
    let hasMore = false;
    try {
      for (const { sequence, body, age } of events) {
        if (this.#isStopped) {
          return false;
        }
        await bus.appendChange({ tree, sequence: String(sequence) }, Buffer.from(body, 'utf8'));
        last = sequence;
        running.failures = 0;
        telemetry.relayed(age + performance.now() - taken);
      }
    } finally {
      if (last !== undefined) {
        hasMore = await store.outbox.settle(tree, last, clock());
      }
    }
    return hasMore;
  }

  #retry(tree: string, running: Running, error: unknown): void {
    if (this.#isStopping) {
      this.#end(tree);
      return;
    }
    const { limits, random, telemetry } = this.#deps;
    telemetry.relayFailed(tree, error);
    running.failures++;
    const pause = backOff(running.failures, random(), { first: limits.relayPause, longest: limits.relayLongestPause });
    const again = () => {
      this.#pauses.delete(tree);
      void this.#run(tree, running);
    };
    this.#pauses.set(tree, setTimeout(again, pause).unref());
  }

  #end(tree: string): void {
    this.#running.delete(tree);
    if (this.#running.size === 0) {
      this.#whenIdle?.resolve();
      this.#whenIdle = undefined;
    }
  }

  async #sweepOnce(): Promise<void> {
    const { store, clock, limits } = this.#deps;
    for (const tree of await store.outbox.waiting(limits.relayTrees)) {
      this.#attend(tree, true);
    }
    while (!this.#isStopping && (await store.outbox.sweep(clock() - limits.fanOutRetention))) {
      // Each step is a transaction of its own, so that writes go on between them.
    }
  }
}
