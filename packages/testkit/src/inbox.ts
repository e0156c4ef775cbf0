/**
 * What tests wait on instead of sleeping: things arrive, `next` hands them over in order. A wait that takes too long fails
 * with a sentence that says what was waited for.
 */

/** Milliseconds that a test waits for something that should come soon: long, for machines that have other things to do. */
export const PATIENCE = 50_000;

/** The same for a program to start or to end; ten of them may do so at once. */
export const START_PATIENCE = 100_000;

export class Inbox<T> {
  readonly #what: string;
  readonly #items: T[] = [];
  readonly #waiting: PromiseWithResolvers<T>[] = [];
  #failure: Error | undefined;

  /** `what` names one item in error messages: `a notification for alice`. */
  constructor(what: string) {
    this.#what = what;
  }

  /** Items that nobody took yet. */
  get size(): number {
    return this.#items.length;
  }

  add(item: T): void {
    const waiting = this.#waiting.shift();
    if (waiting) {
      waiting.resolve(item);
    } else {
      this.#items.push(item);
    }
  }

  /** Nothing comes any more: whoever waits, now or later, beyond what is here, fails with this. */
  fail(error: Error): void {
    this.#failure = error;
    for (const waiting of this.#waiting.splice(0)) {
      waiting.reject(error);
    }
  }

  /** The next item, waiting for it. */
  next(patience = PATIENCE): Promise<T> {
    const [item] = this.#items.splice(0, 1);
    if (item !== undefined) {
      return Promise.resolve(item);
    }
    if (this.#failure) {
      return Promise.reject(this.#failure);
    }
    const waiting = Promise.withResolvers<T>();
    this.#waiting.push(waiting);
    return within(waiting.promise, this.#what, patience).finally(() => {
      const index = this.#waiting.indexOf(waiting);
      if (index >= 0) {
        this.#waiting.splice(index, 1);
      }
    });
  }

  /** The next `count` items. */
  async take(count: number): Promise<T[]> {
    const items: T[] = [];
    while (items.length < count) {
      items.push(await this.next());
    }
    return items;
  }

  /** All that is here now, without waiting. */
  drain(): T[] {
    return this.#items.splice(0);
  }
}

/** The promise's result, or an error that names what did not come in time. */
export async function within<T>(promise: Promise<T>, what: string, patience = PATIENCE): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`Waited ${patience} ms for ${what} in vain`)), patience);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
