/** Rows that the promises are tried with. */
import type { FileRecord, Store, StoredObject, TreeTransaction } from '../src/store/store.ts';

export const ALICE = 'alice@wonderland.lit';
export const BOB = 'bob@wonderland.lit';

type Contents = Partial<Pick<StoredObject, 'data' | 'acl' | 'type' | 'attachment' | 'file' | 'owner'>>;

const TIME = '2026-01-01T00:00:00.000Z';

export async function insert(tx: TreeTransaction, path: string, contents: Contents = {}): Promise<StoredObject> {
  const version = await tx.version();
  const object = { owner: tx.tree, btime: TIME, mtime: TIME, path, version, incarnation: version, subscribers: 0 };
  await tx.insert({ ...object, ...contents });
  return { ...object, ...contents };
}

/** Inserts objects, parents first, in one write. */
export function plant(store: Store, tree: string, paths: readonly string[]): Promise<void> {
  return store.write(tree, async (tx) => {
    for (const path of paths) {
      await insert(tx, path);
    }
  });
}

export function fileRecord(key: string, tree: string, more: Partial<FileRecord> = {}): FileRecord {
  return { key, state: 'pending', tree, path: '/a', incarnation: 1, size: undefined, checksum: undefined, ...more };
}

/** Starts all of them before any can end. */
export function atOnce<T>(count: number, start: (number: number) => Promise<T>): Promise<PromiseSettledResult<T>[]> {
  return Promise.allSettled(Array.from({ length: count }, (_, number) => start(number)));
}
