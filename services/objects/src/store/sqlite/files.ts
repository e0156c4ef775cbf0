/** Keys of the file store whose bytes may go. */

import { textAt } from '../cells.ts';
import type { FileStore } from '../store.ts';
import type { Database, Query } from './database.ts';
import type { Writer } from './writer.ts';

/** Not of any tree. */
const NO_TREE = '';

export class SqliteFiles implements FileStore {
  readonly #writer: Writer;
  readonly #removable: Query;
  readonly #claim: Query;
  readonly #forget: Query;
  readonly #known: Query;

  constructor(database: Database, writer: Writer) {
    this.#writer = writer;
    // The condition on `live` is that of the index.
    this.#removable = database.prepare(
      `SELECT key FROM files WHERE state <> 'live' AND state IN ('dead', 'claimed') AND since < :deadBefore
       UNION ALL SELECT key FROM files WHERE state <> 'live' AND state = 'pending' AND since < :pendingBefore
       LIMIT :limit`,
    );
    this.#claim = database.prepare("UPDATE files SET state = 'claimed', since = ? WHERE key = ?");
    this.#forget = database.prepare("DELETE FROM files WHERE key = ? AND state = 'claimed'");
    this.#known = database.prepare('SELECT 1 FROM files WHERE key = ?');
  }

  claim(options: { limit: number; now: number; deadBefore: number; pendingBefore: number }): Promise<string[]> {
    const { limit, now, deadBefore, pendingBefore } = options;
    return this.#writer.write(NO_TREE, async (tx) => {
      const keys = this.#removable.rowsNamed({ limit, deadBefore, pendingBefore }).map((row) => textAt(row, 0));
      for (const key of keys) {
        tx.changed();
        this.#claim.run(now, key);
      }
      return keys;
    });
  }

  forget(keys: readonly string[]): Promise<void> {
    return this.#writer.write(NO_TREE, async (tx) => {
      for (const key of keys) {
        tx.changed();
        this.#forget.run(key);
      }
    });
  }

  async known(keys: readonly string[]): Promise<string[]> {
    return keys.filter((key) => this.#known.row(key) !== undefined);
  }
}
