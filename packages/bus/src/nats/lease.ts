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
import { BucketWatch } from './bucket-watch.ts';
import type { Link } from './link.ts';
import { type MemberOptions, Members } from './members.ts';

/** A lease that is held until it is `lost` or released. */
export interface Lease {
  readonly name: string;
  /** What was saved last, by whomever; `''` at first. */
  readonly value: string;
  /** Aborted when somebody else may hold it. */
  readonly lost: AbortSignal;
  /** One at a time. Rejects, and loses the lease, where it is not certain that the value was kept. */
  save(value: string): Promise<void>;
  /** Frees it for others, with its value. */
  release(): Promise<void>;
}

interface LeaseRecord {
  /** `''`: free. */
  readonly holder: string;
  readonly value: string;
}

interface Seen {
  readonly record: LeaseRecord;
  readonly revision: number;
}

export class Leases {
  readonly members: Members;
  readonly #link: Link;
  readonly #records: KV;
  readonly #holder: string;
  readonly #watch: BucketWatch;
  readonly #seen = new Map<string, Seen>();
  readonly #held = new Map<string, HeldLease>();
  readonly #listeners: (() => void)[] = [];
  #started: Promise<void> | undefined;

  constructor(link: Link, buckets: { readonly leases: KV; readonly members: KV }, options: MemberOptions) {
    this.#records = buckets.leases;
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

  /** Resolves once leases can be acquired. */
  start(): Promise<void> {
    this.#started ??= this.members.start().then(() => this.#watch.ensure());
    return this.#started;
  }

  /** Called when a lease may have become free, or another process came or went; also from time to time. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** `undefined` where somebody else holds it, or nothing is certain now. */
  async acquire(name: string): Promise<Lease | undefined> {
    await this.start();
    if (!this.members.isConfirmed || this.#held.has(name)) {
      return undefined;
    }
    try {
      const seen = this.#seen.get(name) ?? (await this.#look(name));
      if (seen !== undefined && !this.#isFree(seen.record)) {
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

  #hold(name: string, seen: Seen): HeldLease {
    const write = (record: LeaseRecord, revision: number) =>
      this.#link.whileUp(() => this.#records.update(name, JSON.stringify(record), revision));
    const held = new HeldLease({ name, ...seen, write }, () => {
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

  async #look(name: string): Promise<Seen | undefined> {
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

interface Holding extends Seen {
  readonly name: string;
  /** Against a revision; resolves with the new one. */
  readonly write: (record: LeaseRecord, revision: number) => Promise<number>;
}

class HeldLease implements Lease {
  readonly name: string;
  readonly #writeRecord: Holding['write'];
  readonly #losing = new AbortController();
  readonly #onEnd: () => void;
  #record: LeaseRecord;
  #revision: number;

  constructor(held: Holding, onEnd: () => void) {
    this.#writeRecord = held.write;
    this.name = held.name;
    this.#record = held.record;
    this.#revision = held.revision;
    this.#onEnd = onEnd;
  }

  get value(): string {
    return this.#record.value;
  }

  get lost(): AbortSignal {
    return this.#losing.signal;
  }

  save(value: string): Promise<void> {
    return this.#write({ holder: this.#record.holder, value });
  }

  async release(): Promise<void> {
    if (!this.lost.aborted) {
      await this.#write({ holder: '', value: this.value }).catch(() => undefined);
      this.lose(`${this.name} was released`);
    }
  }

  lose(reason: string): void {
    this.#onEnd();
    this.#losing.abort(new Error(reason));
  }

  /** Somebody else wrote this revision. */
  takenAt(revision: number): void {
    if (revision > this.#revision) {
      this.lose(`Another process took ${this.name}`);
    }
  }

  async #write(record: LeaseRecord): Promise<void> {
    this.lost.throwIfAborted();
    try {
      this.#revision = await this.#writeRecord(record, this.#revision);
      this.#record = record;
    } catch (error) {
      this.lose(`${this.name} could not be kept: ${String(error)}`);
      throw error;
    }
  }
}

function seenOf(entry: KvEntry): Seen {
  return { record: entry.json<LeaseRecord>(), revision: entry.revision };
}
