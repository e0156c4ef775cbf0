/**
 * Runs tasks, at most `limit` at once; `add` waits while that many run, which bounds what a walk over a large tree holds.
 * The first failure stops the rest: `add` and `done` reject with it.
 */
export class BoundedTasks {
  readonly #limit: number;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  async add(task: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#limit) {
      await Promise.race(this.#running);
    }
    this.#check();
    const running = task()
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Resolves once all that was added has ended. */
  async done(): Promise<void> {
    while (this.#running.size > 0) {
      await Promise.race(this.#running);
    }
    this.#check();
  }

  #check(): void {
    if (this.#failure !== undefined) {
      throw this.#failure.error;
    }
  }
}
