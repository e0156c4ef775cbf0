/**
 * The cache of one process: sights by tree and path, as many as fit a bound in bytes.
 *
 * Invariants:
 * - What is in it was durable when it came in, and leaves when a change to it is about to be acknowledged.
 * - A miss that is open while its object, or rights in its tree, are invalidated drops what it brings, which may be older.
 *   Nothing else can be older: the store was asked after the miss began, and shows all that was acknowledged before.
 * - A path without an object is kept only where its parent exists. So creating an object concerns that path alone.
 */
import type { Sight } from '../sight.ts';
import { type Cache, type Hit, type Invalidation, isKeepable, type Miss } from './cache.ts';

export interface MemoryCacheOptions {
  /** Estimated memory of all entries; 64 MiB. Those that were not read for longest go first, roughly. */
  readonly bytes?: number;
}

const DEFAULT_BYTES = 64 * 1024 * 1024;

/** What an entry costs beside its texts, estimated. */
const ENTRY_BYTES = 600;
const LEVEL_BYTES = 16;

interface Entry extends Hit {
  readonly tree: TreeEntries;
  readonly path: string;
  readonly bytes: number;
  /** Since it was last looked at as a candidate to go. */
  wasRead: boolean;
}

interface TreeEntries {
  readonly name: string;
  /** Replaced as a whole where all are invalidated, which then costs nothing however many they were. */
  byPath: Map<string, Entry>;
  readonly misses: Set<OpenMiss>;
}

interface OpenMiss extends Miss {
  readonly path: string;
  isStale: boolean;
}

export interface MemoryCache extends Cache {
  /** Estimated memory of all entries. */
  readonly bytes: number;
}

export function createMemoryCache({ bytes = DEFAULT_BYTES }: MemoryCacheOptions = {}): MemoryCache {
  return new EntriesInMemory(bytes);
}

class EntriesInMemory implements MemoryCache {
  readonly #bound: number;
  readonly #trees = new Map<string, TreeEntries>();
  /** Candidates to go, next one first. Holds invalidated entries too, until their turn comes. */
  readonly #line = new Set<Entry>();
  #bytes = 0;

  constructor(bound: number) {
    this.#bound = bound;
  }

  get bytes(): number {
    return this.#bytes;
  }

  read(tree: string, path: string): Hit | Miss {
    const entries = this.#trees.get(tree);
    const entry = entries?.byPath.get(path);
    if (entry === undefined) {
      return this.#open(entries ?? this.#add(tree), path);
    }
    entry.wasRead = true;
    return entry;
  }

  invalidate({ tree, path, wide }: Invalidation): void {
    const entries = this.#trees.get(tree);
    if (entries === undefined) {
      return;
    }
    for (const miss of entries.misses) {
      miss.isStale ||= wide || miss.path === path;
    }
    const entry = entries.byPath.get(path);
    if (wide) {
      entries.byPath = new Map();
    } else if (entry !== undefined) {
      this.#drop(entry);
    }
    this.#forgetIfEmpty(entries);
  }

  #open(entries: TreeEntries, path: string): OpenMiss {
    const close = () => {
      entries.misses.delete(miss);
      this.#forgetIfEmpty(entries);
    };
    const miss: OpenMiss = {
      hit: false,
      path,
      isStale: false,
      fill: (snapshot, sight) => {
        if (!miss.isStale && isKeepable(snapshot, path)) {
          this.#keep(entries, path, sight);
        }
        close();
      },
      abandon: close,
    };
    entries.misses.add(miss);
    return miss;
  }

  #keep(tree: TreeEntries, path: string, sight: Sight): void {
    const before = tree.byPath.get(path);
    if (before !== undefined) {
      this.#drop(before);
    }
    const entry: Entry = { hit: true, sight, tree, path, bytes: sizeOf(path, sight), wasRead: false };
    tree.byPath.set(path, entry);
    this.#line.add(entry);
    this.#bytes += entry.bytes;
    this.#makeRoom();
  }

  #makeRoom(): void {
    for (const entry of this.#line) {
      if (this.#bytes <= this.#bound) {
        return;
      }
      const isValid = entry.tree.byPath.get(entry.path) === entry;
      if (isValid && entry.wasRead) {
        entry.wasRead = false;
        this.#line.delete(entry);
        this.#line.add(entry);
      } else {
        this.#drop(entry);
        this.#forgetIfEmpty(entry.tree);
      }
    }
  }

  #drop(entry: Entry): void {
    this.#line.delete(entry);
    this.#bytes -= entry.bytes;
    if (entry.tree.byPath.get(entry.path) === entry) {
      entry.tree.byPath.delete(entry.path);
    }
  }

  #add(name: string): TreeEntries {
    const entries: TreeEntries = { name, byPath: new Map(), misses: new Set() };
    this.#trees.set(name, entries);
    return entries;
  }

  #forgetIfEmpty(entries: TreeEntries): void {
    const isEmpty = entries.byPath.size === 0 && entries.misses.size === 0;
    if (isEmpty && this.#trees.get(entries.name) === entries) {
      this.#trees.delete(entries.name);
    }
  }
}

/** Twice the texts: as strings, and as the view that is kept with them. */
function sizeOf(path: string, { object, levels, subscriptions = '' }: Sight): number {
  const { data = '', acl = '', type = '', attachment = '' } = object ?? {};
  const texts = data.length + acl.length + type.length + attachment.length + subscriptions.length;
  return ENTRY_BYTES + LEVEL_BYTES * levels.length + path.length + 2 * texts;
}
