/**
 * What makes reads fast: objects ready to be shown, with all they are judged by, near the reader. Embedded it is memory of
 * this process; over the network several processes share one.
 *
 * Invariant: after a change is acknowledged nobody reads anything older. So a write invalidates after it is durable and
 * before it is acknowledged; and a reader who found nothing takes a `Miss` before it asks the store, which drops what the
 * reader brings if it was invalidated meanwhile.
 */
import { parentPath } from '@fosp/protocol';
import type { Sight } from '../sight.ts';
import type { Snapshot, Soon } from '../store/store.ts';

/** The promise to fetch what was not there. Either `fill` or `abandon` is called, once. */
export interface Miss {
  readonly hit: false;
  /** Keeps what the store said, unless it may be older than an acknowledged change. */
  fill(snapshot: Snapshot, sight: Sight): void;
  abandon(): void;
}

export interface Hit {
  readonly hit: true;
  readonly sight: Sight;
}

export interface Invalidation {
  readonly tree: string;
  /** The object that was created, changed or deleted. */
  readonly path: string;
  /** Whether it may concern other objects too: rights changed, or a subtree is gone. */
  readonly wide: boolean;
}

export interface Cache {
  read(tree: string, path: string): Soon<Hit | Miss>;
  /** Once this is done, nobody reads what was there before. Never rejects: where a cache cannot be told, it waits. */
  invalidate(change: Invalidation): Soon<void>;
}

/** A path without an object is kept only where its parent exists: so creating an object concerns that path alone. */
export function isKeepable({ object, levels }: Snapshot, path: string): boolean {
  return object !== undefined || levels[0]?.path === parentPath(path);
}
