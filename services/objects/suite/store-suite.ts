/** What every store promises (see `Store`), as tests. A store's own test file gives it a way to open one. */

import type { Store } from '../src/store/store.ts';
import { accountPromises } from './accounts.ts';
import { outboxPromises } from './outbox.ts';
import { readPromises } from './reads.ts';
import { writePromises } from './writes.ts';

export interface StoreUnderTest extends AsyncDisposable {
  /** Empty at first. */
  readonly store: Store;
  /** Closes the store and opens it again. */
  reopen(): Promise<Store>;
}

export type OpenStore = () => Promise<StoreUnderTest>;

export function storeSuite(open: OpenStore): void {
  writePromises(open);
  readPromises(open);
  outboxPromises(open);
  accountPromises(open);
}
