/** Whether a process may be given work, and if not why. A process starts, is ready, and drains, in this order. */
export class Health {
  #state: 'starting' | 'ready' | 'draining' = 'starting';
  readonly #obstacles = new Set<string>();
  readonly #watched: (() => string | undefined)[] = [];

  /** Start-up is over. */
  started(): void {
    if (this.#state === 'starting') {
      this.#state = 'ready';
    }
  }

  /** It has not begun to work yet. A process for which this stays so hangs; one that is merely unready waits for others. */
  get starting(): boolean {
    return this.#state === 'starting';
  }

  draining(): void {
    this.#state = 'draining';
  }

  /** Unready for this reason, such as `postgres cannot be reached`, until the returned function is called. */
  obstruct(reason: string): () => void {
    this.#obstacles.add(reason);
    return () => this.#obstacles.delete(reason);
  }

  /** Unready while this gives a reason; asked whenever somebody wants to know. */
  watch(reason: () => string | undefined): void {
    this.#watched.push(reason);
  }

  /** Why it is not ready; empty when it is. */
  reasons(): readonly string[] {
    const watched = this.#watched.map((reason) => reason()).filter((reason) => reason !== undefined);
    const obstacles = [...this.#obstacles, ...watched];
    return this.#state === 'ready' ? obstacles : [this.#state, ...obstacles];
  }
}
