/**
 * Who is alive: a heartbeat per process in a bucket of JetStream KV, with the groups of leases it wants.
 *
 * Invariants: another process counts as dead when its heartbeat has not changed for `timeToLive` on our own clock, so no
 * two clocks are compared; our own counts as unconfirmed before any other process could call us dead. After a standstill
 * of this process nobody is called dead until they had the time to be heard again. Only of heartbeats older than this
 * process is the age told by the server, which stamped them and our own first one: so who died before we began is not
 * waited for anew.
 */
import type { KV, KvEntry } from '@nats-io/kv';
import { BucketWatch } from './bucket-watch.ts';
import type { Link } from './link.ts';

export interface MemberOptions {
  /** This process; unlike any other's, and that of an earlier life. */
  readonly holder: string;
  /** Milliseconds without a heartbeat after which a process counts as dead. */
  readonly timeToLive: number;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

interface Member {
  readonly groups: readonly string[];
  /** The server's time of the heartbeat. */
  readonly stampedAt: number;
  seenAt: number;
}

/** Heartbeats per time to live; also the share of it by which a process without confirmation gives up early. */
const BEATS = 4;

export class Members {
  readonly #link: Link;
  readonly #bucket: KV;
  readonly #options: MemberOptions;
  readonly #watch: BucketWatch;
  readonly #others = new Map<string, Member>();
  readonly #groups = new Set<string>();
  readonly #onTick: () => void;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> | undefined;
  /** When the last confirmed heartbeat was sent. */
  #beatAt = Number.NEGATIVE_INFINITY;
  #tickAt = 0;
  #watchedSince = 0;
  /** Were all heartbeats seen that are older than our first one? */
  #isCaughtUp = false;
  #closed = false;

  /** `onTick` is called from time to time, and when somebody came, went, or wants something else. */
  constructor(link: Link, bucket: KV, options: MemberOptions, onTick: () => void) {
    this.#link = link;
    this.#bucket = bucket;
    this.#options = options;
    this.#onTick = onTick;
    this.#watch = new BucketWatch(link, bucket, (entry) => this.#see(entry));
    link.onLost(() => {
      this.#beatAt = Number.NEGATIVE_INFINITY;
      this.#watch.close();
    });
  }

  /** Resolves once others can see this process, and it sees them. */
  async start(): Promise<void> {
    const interval = this.#options.timeToLive / BEATS;
    this.#tickAt = this.#options.now();
    this.#timer ??= setInterval(() => this.#tick(interval), interval);
    await this.refresh();
  }

  /** Heard and hearing again, after the link was restored. */
  async refresh(): Promise<void> {
    this.#watchedSince = this.#options.now();
    await this.#beat();
    await this.#watch.ensure();
  }

  async join(group: string): Promise<void> {
    if (!this.#groups.has(group)) {
      this.#groups.add(group);
      await this.#beat();
    }
  }

  async leave(group: string): Promise<void> {
    if (this.#groups.delete(group)) {
      await this.#beat();
    }
  }

  /** Living processes that want leases of the group, this one included. */
  countIn(group: string): number {
    let count = this.#groups.has(group) ? 1 : 0;
    for (const [holder, { groups }] of this.#others) {
      count += groups.includes(group) && this.isAlive(holder) ? 1 : 0;
    }
    return count;
  }

  isAlive(holder: string): boolean {
    const since = Math.max(this.#others.get(holder)?.seenAt ?? Number.NEGATIVE_INFINITY, this.#watchedSince);
    return this.#options.now() - since <= this.#options.timeToLive;
  }

  /** Can nobody have called this process dead yet? */
  get isConfirmed(): boolean {
    const { now, timeToLive } = this.#options;
    return !this.#closed && this.#link.isUp && now() - this.#beatAt < timeToLive * (1 - 1 / BEATS);
  }

  /** Tells others that this process is gone. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#watch.stop();
    clearInterval(this.#timer);
    await this.#beating;
    if (this.#timer !== undefined && this.#link.isUp) {
      await this.#link.whileUp(() => this.#bucket.delete(this.#options.holder)).catch(() => undefined);
    }
  }

  #tick(interval: number): void {
    const now = this.#options.now();
    if (now - this.#tickAt > 2 * interval) {
      // This process stood still and read nobody's heartbeats meanwhile: their age says nothing.
      this.#watchedSince = now;
    }
    this.#tickAt = now;
    if (this.#link.isUp && this.#beating === undefined) {
      void this.#beat();
      void this.#watch.ensure();
    }
    this.#onTick();
  }

  /** One at a time; a heartbeat that takes long delays the next. */
  async #beat(): Promise<void> {
    while (this.#beating !== undefined) {
      await this.#beating;
    }
    if (!this.#closed && this.#link.isUp) {
      this.#beating = this.#put();
      await this.#beating;
      this.#beating = undefined;
    }
  }

  async #put(): Promise<void> {
    const sentAt = this.#options.now();
    try {
      await this.#link.whileUp(() => this.#bucket.put(this.#options.holder, JSON.stringify([...this.#groups])));
      this.#beatAt = sentAt;
    } catch {
      // Not confirmed: the next tick tries again.
    }
  }

  #see(entry: KvEntry): void {
    if (entry.key === this.#options.holder) {
      this.#catchUp(entry.created.getTime());
      return;
    }
    const known = this.#others.get(entry.key)?.groups.join();
    if (entry.operation === 'PUT') {
      const stampedAt = entry.created.getTime();
      this.#others.set(entry.key, { groups: entry.json<string[]>(), stampedAt, seenAt: this.#options.now() });
    } else {
      this.#others.delete(entry.key);
    }
    if (known !== this.#others.get(entry.key)?.groups.join()) {
      this.#onTick();
    }
  }

  /** Entries come in the order of their stamps: all that are older than our own first heartbeat have been seen. */
  #catchUp(ownStamp: number): void {
    if (this.#isCaughtUp) {
      return;
    }
    this.#isCaughtUp = true;
    const now = this.#options.now();
    for (const member of this.#others.values()) {
      member.seenAt = now - Math.max(0, ownStamp - member.stampedAt);
    }
    this.#watchedSince = Number.NEGATIVE_INFINITY;
    this.#onTick();
  }
}
