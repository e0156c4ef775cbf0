import type { HeldLease } from './transport.ts';

/** Leases within one process: each is held by one taker at a time, and lost by nothing but its release. */
export class InProcessLeases {
  readonly #held = new Map<string, AbortController>();

  take(name: string): HeldLease | undefined {
    if (this.#held.has(name)) {
      return undefined;
    }
    const losing = new AbortController();
    this.#held.set(name, losing);
    return { lost: losing.signal, release: async () => this.#release(name, losing) };
  }

  releaseAll(): void {
    for (const [name, losing] of this.#held) {
      this.#release(name, losing);
    }
  }

  #release(name: string, losing: AbortController): void {
    if (this.#held.get(name) === losing) {
      this.#held.delete(name);
    }
    losing.abort(new Error(`${name} was released`));
  }
}
