/** Whether a process may be given work, and if not why. A process starts, is ready, and drains, in this order. */
export class Health {
  #state: 'starting' | 'ready' | 'draining' = 'starting';
  readonly #obstacles = new Set<string>();

  /** Start-up is over. */
  started(): void {
    if (this.#state === 'starting') {
      this.#state = 'ready';
    }
  }

  draining(): void {
    this.#state = 'draining';
  }

  /** Unready for this reason, such as `postgres cannot be reached`, until the returned function is called. */
  obstruct(reason: string): () => void {
    this.#obstacles.add(reason);
    return () => this.#obstacles.delete(reason);
  }

  /** Why it is not ready; empty when it is. */
  reasons(): readonly string[] {
    return this.#state === 'ready' ? [...this.#obstacles] : [this.#state, ...this.#obstacles];
  }
}
