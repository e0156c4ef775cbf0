/**
 * What every change of a tree goes through: judged and written in one transaction, then made known, then acknowledged. One that
 * may have been written is made known too: whoever was told so and looks is to find what is there.
 */
import { fospError } from '@fosp/protocol';
import { detached } from '@fosp/runtime';
import type { Cache } from './cache/cache.ts';
import type { Relay } from './relay.ts';
import type { Soon, Store, TreeTransaction, WriteHint } from './store/store.ts';
import { isOutcomeUnknown } from './store/unknown-outcome.ts';

export interface TransactionsDeps {
  readonly store: Store;
  readonly cache: Cache;
  readonly relay: Relay;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** What a transaction changed. */
export interface Change {
  readonly path: string;
  /** Whether it concerns other objects too: rights changed, or a subtree is gone. */
  readonly wide: boolean;
  /** Whether there is an event to relay. */
  readonly announced: boolean;
}

/** Which write this is. */
export interface Write extends Partial<WriteHint> {
  readonly tree: string;
  /** Milliseconds since the epoch, after which it is not begun. */
  readonly deadline: number;
}

export class Transactions {
  readonly #deps: TransactionsDeps;

  constructor(deps: TransactionsDeps) {
    this.#deps = deps;
  }

  /**
   * Runs one. What it resolves to is durable, and no reader sees anything older any more.
   * @param work gives what it did, undefined where that is nothing, and whatever its caller wants of it
   * @throws what `work` throws; timeout where it did not begin before its deadline; unavailable
   */
  async run<T extends { readonly change: Change | undefined }>(
    { tree, deadline, small = false }: Write,
    work: (tx: TreeTransaction, now: number) => Promise<T>,
  ): Promise<T> {
    const { store, clock } = this.#deps;
    let attempted: Change | undefined;
    const judge = async (tx: TreeTransaction): Promise<T> => {
      const now = clock();
      if (now >= deadline) {
        throw fospError('timeout', 'This waited too long for its turn; nothing was done.');
      }
      const result = await work(tx, now);
      attempted = result.change;
      return result;
    };
    let result: T;
    try {
      result = await store.write(tree, judge, { small });
    } catch (error) {
      if (attempted !== undefined && isOutcomeUnknown(error)) {
        await this.#makeKnown(tree, attempted);
      }
      throw error;
    }
    if (result.change !== undefined) {
      const known = this.#makeKnown(tree, result.change);
      if (known instanceof Promise) {
        await known;
      }
    }
    return result;
  }

  #makeKnown(tree: string, { path, wide, announced }: Change): Soon<void> {
    const { cache, relay } = this.#deps;
    const invalidated = cache.invalidate({ tree, path, wide });
    // The relay goes on with other changes of the tree.
    const notice = () => (announced ? detached(() => relay.notice(tree)) : undefined);
    return invalidated instanceof Promise ? invalidated.then(notice) : notice();
  }
}
