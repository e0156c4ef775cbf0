/**
 * Leases: at most one process works for a name at a time, and what it remembers of its work (a cursor) is kept with the
 * lease, in a record per name in a bucket of JetStream KV.
 *
 * Invariants: a record is only ever written against the revision that its writer last saw, so of two who believe to hold
 * a lease the older one fails when it saves, and cannot move what is kept. A lease is taken when it is free or its holder
 * is dead (see `members.ts`); a holder whose own heartbeat is not confirmed, or whose link broke, gives up before that.
 * Lifecycle: `start`, then `acquire` … `release` at will, then `close`, which frees everything at once.
 */
import type { KV, KvEntry } from '@nats-io/kv';
import type { HeldLease } from '../transport.ts';
import { BucketWatch } from './bucket-watch.ts';

import type { Link } from './link.ts';
import { type MemberOptions, Members } from './members.ts';
import { type Lease, type LeaseRecord, RecordedLease, type SeenRecord } from './recorded-lease.ts';

/** Where leases are kept. */
export interface LeaseBuckets {
  readonly leases: KV;
  readonly members: KV;
  /** Removes a record of `leases`, unless it was written after this revision. */
  readonly forget: (name: string, revision: number) => Promise<unknown>;
}

export interface LeasesOptions extends MemberOptions {
  /** Told of each that was lost other than by its release. */
  readonly lost?: () => void;
}

/** How often a lease is looked for while it comes and goes. */
const FLEETING_ATTEMPTS = 3;

export class Leases {
  readonly members: Members;
  readonly #link: Link;
  readonly #records: KV;
  readonly #forget: LeaseBuckets['forget'];
  readonly #holder: string;
  readonly #watch: BucketWatch;
  readonly #seen = new Map<string, SeenRecord>();
  readonly #held = new Map<string, RecordedLease>();
  readonly #acquiring = new Set<string>();
  readonly #listeners: (() => void)[] = [];
  #started: Promise<void> | undefined;

  readonly #lost: () => void;

  constructor(link: Link, buckets: LeaseBuckets, options: LeasesOptions) {
    this.#lost = options.lost ?? (() => undefined);
    this.#records = buckets.leases;
    this.#forget = buckets.forget;
    this.#holder = options.holder;
    this.#link = link;
    this.#watch = new BucketWatch(link, buckets.leases, (entry) => this.#see(entry));
    this.members = new Members(link, buckets.members, options, () => this.#tick());
    link.onLost((reason) => {
      this.#watch.close();
      this.#seen.clear();
      this.#loseAll(reason);
    });
    link.onRestored(() => {
      if (this.#started !== undefined) {
        void this.#refresh();
      }
    });
  }

  /** Names of those that this process has. */
  get held(): Iterable<string> {
    return this.#held.keys();
  }

  /** Resolves once leases can be acquired. */
  start(): Promise<void> {
    this.#started ??= this.members.start().then(() => this.#watch.ensure());
    return this.#started;
  }

  /** Called when a lease may have become free, or another process came or went; also from time to time. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** `undefined` where somebody holds it, as far as is known here, or nothing is certain now. */
  acquire(name: string): Promise<Lease | undefined> {
    return this.#acquire(name, () => this.#attempt(name));
  }

  /**
   * As `acquire`, for one of any number of names: it leaves nothing behind when it is released. And since few ask for it,
   * the server is asked who holds it, rather than relied on what was heard so far.
   */
  acquireFleeting(name: string): Promise<HeldLease | undefined> {
    return this.#acquire(name, async () => {
      for (let attempt = 0; attempt < FLEETING_ATTEMPTS; attempt++) {
        this.#seen.delete(name);
        const lease = await this.#attempt(name);
        // What was seen and not taken is somebody's; what is not seen came or went in between.
        if (lease !== undefined || this.#seen.has(name)) {
          return lease && { lost: lease.lost, release: () => this.#releaseFleeting(lease) };
        }
      }
      return undefined;
    });
  }

  async #acquire<Acquired>(name: string, attempt: () => Promise<Acquired | undefined>): Promise<Acquired | undefined> {
    await this.start();
    if (!this.members.isConfirmed || this.#held.has(name) || this.#acquiring.has(name)) {
      return undefined;
    }
    this.#acquiring.add(name);
    try {
      return await attempt();
    } finally {
      this.#acquiring.delete(name);
    }
  }

  async #releaseFleeting(lease: RecordedLease): Promise<void> {
    if (lease.lost.aborted) {
      return;
    }
    await lease.release();
    const { name, revision } = lease;
    await this.#link.whileUp(() => this.#forget(name, revision)).catch(() => undefined);
  }

  async #attempt(name: string): Promise<RecordedLease | undefined> {
    try {
      const seen = this.#seen.get(name) ?? (await this.#look(name));
      if (seen !== undefined && !this.#isFree(seen.record)) {
        this.#seen.set(name, seen);
        return undefined;
      }
      const record: LeaseRecord = { holder: this.#holder, value: seen?.record.value ?? '' };
      const revision = await this.#link.whileUp(() =>
        seen === undefined
          ? this.#records.create(name, JSON.stringify(record))
          : this.#records.update(name, JSON.stringify(record), seen.revision),
      );
      this.#seen.set(name, { record, revision });
      return this.members.isConfirmed ? this.#hold(name, { record, revision }) : undefined;
    } catch {
      // Somebody was faster, or the answer did not come: look again before the next attempt.
      this.#seen.delete(name);
      return undefined;
    }
  }

  /** Gives up all that is held, so that others can go on at once. */
  async close(): Promise<void> {
    this.#watch.stop();
    await Promise.all([...this.#held.values()].map((held) => held.release()));
    await this.members.close();
  }

  #hold(name: string, seen: SeenRecord): RecordedLease {
    const write = (record: LeaseRecord, revision: number) =>
      this.#link.whileUp(() => this.#records.update(name, JSON.stringify(record), revision));
    const held = new RecordedLease({ name, ...seen, write }, (wasReleased) => {
      if (!wasReleased) {
        this.#lost();
      }
      if (this.#held.get(name) === held) {
        this.#held.delete(name);
        this.#seen.delete(name);
      }
    });
    this.#held.set(name, held);
    return held;
  }

  #isFree({ holder }: LeaseRecord): boolean {
    return holder === '' || holder === this.#holder || !this.members.isAlive(holder);
  }

  async #look(name: string): Promise<SeenRecord | undefined> {
    const entry = await this.#link.whileUp(() => this.#records.get(name));
    return entry?.operation === 'PUT' ? seenOf(entry) : undefined;
  }

  #see(entry: KvEntry): void {
    if (entry.operation !== 'PUT') {
      this.#seen.delete(entry.key);
      return;
    }
    const seen = seenOf(entry);
    if (seen.revision < (this.#seen.get(entry.key)?.revision ?? 0)) {
      return;
    }
    this.#seen.set(entry.key, seen);
    if (seen.record.holder !== this.#holder) {
      this.#held.get(entry.key)?.takenAt(seen.revision);
    }
    if (seen.record.holder === '') {
      if (seen.record.value === '') {
        // It says no more than none would, and its holder may remove it.
        this.#seen.delete(entry.key);
      }
      this.#tell();
    }
  }

  #tick(): void {
    if (!this.members.isConfirmed) {
      this.#loseAll('The heartbeat was not confirmed in time');
    }
    void this.#watch.ensure();
    this.#tell();
  }

  async #refresh(): Promise<void> {
    await this.members.refresh();
    await this.#watch.ensure();
    this.#tell();
  }

  #loseAll(reason: string): void {
    for (const held of [...this.#held.values()]) {
      held.lose(reason);
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) {
      listener();
    }
  }
}

function seenOf(entry: KvEntry): SeenRecord {
  return { record: entry.json<LeaseRecord>(), revision: entry.revision };
}
