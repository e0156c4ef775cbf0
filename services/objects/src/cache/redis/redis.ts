/**
 * The cache that several processes share. Fast while Redis answers, never wrong: Redis may be empty, lose any key at any
 * moment, be slow, or be gone.
 *
 * Invariants:
 * - Epochs and marks are never used twice. An entry counts only while its epoch is the tree's. A fill is refused unless the
 *   epoch and the mark that its reader saw before it asked the store are both still there. So what a reader brings is as new
 *   as whatever replaced either, and what is lost is at worst asked for again.
 * - A write replaces, after it is durable and before it is acknowledged, the tree's epoch where it may concern other objects,
 *   else its object's entry or mark by a fresh mark. Who reads after that finds nothing older.
 * - An entry lives for what is left of the life of the mark it replaces, so it is gone one lifetime after its reader began.
 *   Where Redis does not confirm, the write waits for that long, and what could be older has died.
 * - In one epoch the rights never change: a fill that finds other rights than its own is refused.
 * - A path without an object is kept only where its parent exists, so creating an object concerns that path alone.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Policies } from '../../policies.ts';
import type { RedisLink } from '../../redis/link.ts';
import type { Sight } from '../../sight.ts';
import type { Snapshot, Soon } from '../../store/store.ts';
import { type Cache, type Hit, type Invalidation, isKeepable, type Miss } from '../cache.ts';
import { entriesOf, isMark, type Keys, keysOf, keysToRead, sightFrom } from './entries.ts';
import { BEGIN, FILL } from './scripts.ts';

export interface RedisCacheOptions {
  readonly link: RedisLink;
  /** Before every key, to share a Redis with others; `fosp:`. */
  readonly prefix?: string;
  /** Milliseconds that an entry lives at most, and that a write waits for where Redis does not confirm; 5,000. */
  readonly lifetime?: number;
  /** Characters of the largest object that is kept; 1 Mi. */
  readonly largest?: number;
  /** Characters of ACLs, and of groups, that stay compiled; 8 Mi. */
  readonly policyCharacters?: number;
}

const MIB = 1024 * 1024;
const DEFAULTS = { prefix: 'fosp:', lifetime: 5_000, largest: MIB, policyCharacters: 8 * MIB };

/** Milliseconds that the epoch of a tree that nobody reads is kept. */
const EPOCH_LIFE = 60_000;
/** Milliseconds between two attempts to have a write confirmed. */
const RETRY_PAUSE = 50;
/** Clocks of two machines do not run alike: by this much longer is waited. */
const CLOCK_MARGIN = 1.05;

/** Of a reader that Redis could not help. */
const NOT_KEPT: Miss = { hit: false, fill: () => undefined, abandon: () => undefined };

export function createRedisCache(options: RedisCacheOptions): Cache {
  return new RedisCache({ ...DEFAULTS, ...options });
}

class RedisCache implements Cache {
  readonly #options: Required<RedisCacheOptions>;
  readonly #policies: Policies;
  readonly #process = randomBytes(12).toString('base64url');
  #made = 0;

  constructor(options: Required<RedisCacheOptions>) {
    this.#options = options;
    this.#policies = new Policies(options.policyCharacters);
  }

  read(tree: string, path: string): Soon<Hit | Miss> {
    return this.#options.link.isUsable ? this.#read(tree, path) : NOT_KEPT;
  }

  async invalidate({ tree, path, wide }: Invalidation): Promise<void> {
    const { link, prefix, lifetime } = this.#options;
    const keys = keysOf(prefix, tree, path);
    const [key, value, life] = wide
      ? ([keys.epoch, this.#fresh(), EPOCH_LIFE] as const)
      : ([keys.contents, `m${this.#fresh()}`, lifetime] as const);
    const enough = performance.now() + lifetime * CLOCK_MARGIN;
    for (let isConfirmed = false; !isConfirmed && performance.now() < enough; ) {
      isConfirmed = await link.confirmSet(key, value, life).then(
        () => true,
        () => false,
      );
      if (!isConfirmed) {
        await pause(RETRY_PAUSE);
      }
    }
  }

  async #read(tree: string, path: string): Promise<Hit | Miss> {
    const { link, prefix, lifetime } = this.#options;
    const keys = keysOf(prefix, tree, path);
    try {
      const values = await link.mget(keysToRead(keys));
      const sight = sightFrom(values, path, this.#policies);
      if (sight !== undefined) {
        return { hit: true, sight };
      }
      const [epoch, contents] = values;
      if (epoch && isMark(contents)) {
        return this.#miss(keys, path, { epoch, mark: contents });
      }
      const fresh = [this.#fresh(), `m${this.#fresh()}`, lifetime, EPOCH_LIFE];
      const begun = await link.run(BEGIN, [keys.epoch, keys.contents], fresh);
      const [newEpoch, mark] = Array.isArray(begun) ? begun.map(String) : [];
      return newEpoch && mark ? this.#miss(keys, path, { epoch: newEpoch, mark }) : NOT_KEPT;
    } catch {
      return NOT_KEPT;
    }
  }

  #miss(keys: Keys, path: string, seen: { readonly epoch: string; readonly mark: string }): Miss {
    return {
      hit: false,
      fill: (snapshot, sight) => {
        if (this.#options.link.isUsable && isKeepable(snapshot, path)) {
          this.#fill(keys, snapshot, { ...seen, sight });
        }
      },
      abandon: () => undefined,
    };
  }

  #fill(keys: Keys, snapshot: Snapshot, seen: { epoch: string; mark: string; sight: Sight }): void {
    const { link, largest } = this.#options;
    const { epoch, mark, sight } = seen;
    const { contents, others } = entriesOf(snapshot, { epoch, keys, subscriptions: sight.subscriptions ?? '' });
    if (contents.length <= largest) {
      const values = [epoch, mark, contents, ...others.values()];
      // Nobody waits for it; that it failed shows in the link.
      link.run(FILL, [keys.epoch, keys.contents, ...others.keys()], values).catch(() => undefined);
    }
  }

  #fresh(): string {
    this.#made++;
    return `${this.#process}.${this.#made.toString(36)}`;
  }
}
