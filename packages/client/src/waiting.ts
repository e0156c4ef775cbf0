import { fospError } from '@fosp/protocol';

interface Waiter<Value> {
  resolve(value: Value): void;
  reject(error: Error): void;
}

/** Those who wait for a connection: at most `limit`, each until there is one, or none will come, or its time is over. */
export class Waiting<Value> {
  readonly #limit: number;
  readonly #waiters = new Set<Waiter<Value>>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Rejects with `timeout` and `late` after so many milliseconds; with `too-many` at once where too many wait. */
  wait(milliseconds: number, late: string): Promise<Value> {
    if (this.#waiters.size >= this.#limit) {
      return Promise.reject(fospError('too-many', `${this.#limit} requests wait for a connection already.`));
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter<Value> = {
        resolve(value) {
          leave();
          resolve(value);
        },
        reject(error) {
          leave();
          reject(error);
        },
      };
      const timer = setTimeout(() => waiter.reject(fospError('timeout', late)), milliseconds);
      this.#waiters.add(waiter);
    });
  }

  resolveAll(value: Value): void {
    for (const waiter of this.#waiters) {
      waiter.resolve(value);
    }
  }

  rejectAll(error: Error): void {
    for (const waiter of this.#waiters) {
      waiter.reject(error);
    }
  }
}
