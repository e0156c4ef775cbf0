/** A domain whose lease this process has: it serves the calls at it, until it is released or lost. */
import { type Bus, type BusSubscription, FEDERATION, type HeldLease } from '@fosp/bus';
import { type FospError, fospError } from '@fosp/protocol';
import { waitAtMost } from '@fosp/runtime';
import type { PeerDomain } from './peer-domain.ts';

export interface OwnedDomainDeps {
  readonly bus: Bus;
  /** Calls at one domain at once. */
  readonly callsPerDomain: number;
  /** For what is under way, and for closing, where it ends in order. */
  readonly finishSeconds: number;
}

const NOTHING = { fields: {} };
const ENDING = 'This server ends its links. Try again.';

export class OwnedDomain {
  readonly peer: PeerDomain;
  /** Resolves when it is over, and its lease free. */
  readonly ended: Promise<void>;
  readonly #deps: OwnedDomainDeps;
  readonly #lease: HeldLease;
  #served: readonly BusSubscription[] = [];
  #ending: Promise<void> | undefined;
  readonly #end: () => void;

  constructor(peer: PeerDomain, lease: HeldLease, deps: OwnedDomainDeps) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.peer = peer;
    this.ended = promise;
    this.#end = resolve;
    this.#lease = lease;
    this.#deps = deps;
  }

  get isEnding(): boolean {
    return this.#ending !== undefined;
  }

  /** Resolves once calls arrive. */
  async serve(): Promise<void> {
    const { bus, callsPerDomain: concurrency } = this.#deps;
    const { peer } = this;
    const { domain } = peer;
    const options = { concurrency };
    this.#lease.lost.addEventListener('abort', () => void this.#lost(), { once: true });
    this.#served = await Promise.all([
      bus.serveAt(FEDERATION.forward, domain, (call) => peer.forward(call), options),
      bus.serveAt(FEDERATION.transfer, domain, (call) => peer.transfer(call), options),
      bus.serveAt(FEDERATION.reach, domain, (call) => peer.reach(call), options),
      bus.serveAt(FEDERATION.peer, domain, async () => NOTHING, options),
      bus.serveAt(FEDERATION.retry, domain, () => peer.retry().then(() => NOTHING), options),
    ]);
    if (this.isEnding) {
      // The lease was lost meanwhile.
      await Promise.all(this.#served.map((each) => each.stop()));
    }
  }

  /** Ends it in order, and frees the lease. */
  release(): Promise<void> {
    this.#ending ??= this.#release();
    return this.#ending;
  }

  /** Somebody else may have it in a moment: nothing more is done, whatever is under way. */
  async #lost(): Promise<void> {
    if (this.#ending === undefined) {
      const ended = this.peer.close(1012, 'The server restarts: connect again.');
      this.#ending = Promise.all([ended, ...this.#served.map((each) => each.stop())]).then(() => this.#end());
      await this.#ending;
    }
  }

  async #release(): Promise<void> {
    const stopped = Promise.all(this.#served.map((each) => each.stop()));
    const reason: FospError = fospError('unavailable', ENDING, { headers: { 'Retry-After': '1' } });
    await waitAtMost(this.#deps.finishSeconds * 1000, this.peer.finish(reason));
    await this.peer.close(1012, 'The server restarts: connect again.');
    await stopped;
    await this.#lease.release();
    this.#end();
  }
}
