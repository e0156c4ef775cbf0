/**
 * Deletes files that nobody knows of: bytes in the store whose key has no row. They come about where an upload ended after
 * its key was claimed and forgotten, and where the database was set back to an older backup.
 *
 * Never a file that is anybody's. A key's row is durable before the URL for its upload exists: what a listing shows had its
 * row before it could be there. `objects` is asked after the listing, and calls a key lost only where it gave the key out
 * itself (by the mark of its database) and has no row. A row goes by being forgotten, which it is only once claimed; what
 * is claimed never becomes an object's; and no key is given out twice. So a key that is lost stays lost. No clock and no
 * order of events between processes comes into this. A file store that several clusters share, or a database that was
 * begun anew, costs no file either: keys of another mark are nobody's here to delete.
 *
 * What the argument cannot see is a database that is not itself: one that is just being restored, table by table. So a file
 * must also be older than any upload lasts, and be lost at two looks, `doubtSeconds` apart.
 *
 * A look takes one page of the listing, where the last one ended, round and round. Each process begins somewhere else: so
 * several share the work without knowing of each other, and restarts do not keep them at the beginning. Two that find the
 * same file delete it twice, which is harmless.
 */
import { type Bus, OBJECTS } from '@fosp/bus';
import { Rounds } from './rounds.ts';
import type { FileStore } from './store.ts';
import type { Telemetry } from './telemetry.ts';

export interface OrphansOptions {
  readonly bus: Bus;
  readonly store: FileStore;
  readonly telemetry: Telemetry;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** The first page begins after this key. */
  readonly beginAfter: string;
  /** Seconds between two looks; 0 for none at all. */
  readonly orphanSweepSeconds: number;
  /** Files listed by one look, and deleted by one. */
  readonly orphanPage: number;
  /** Seconds since a file was written before it may be an orphan: more than an upload with its URL's life can last. */
  readonly orphanAgeSeconds: number;
  /** Seconds between the look that finds a file lost and the one that deletes it. */
  readonly orphanDoubtSeconds: number;
  /** Lost files that wait for the second look; while there are so many, no more are looked for. */
  readonly orphanSuspects: number;
}

export class Orphans {
  readonly #options: OrphansOptions;
  readonly #rounds: Rounds;
  /** Lost keys, with the time of the look that found them; oldest first. */
  readonly #suspects = new Map<string, number>();
  #after: string;

  constructor(options: OrphansOptions) {
    this.#options = options;
    this.#after = options.beginAfter;
    this.#rounds = new Rounds({
      pauseSeconds: options.orphanSweepSeconds,
      work: () => this.look(),
      failed: options.telemetry.sweepFailed,
    });
  }

  start(): void {
    if (this.#options.orphanSweepSeconds > 0) {
      this.#rounds.start();
    }
  }

  /** Resolves once a look that is running has ended. */
  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  /** One look: deletes what was found lost long enough ago and still is, then finds more. */
  async look(): Promise<void> {
    await this.#deleteLost();
    if (this.#suspects.size < this.#options.orphanSuspects) {
      await this.#suspectLost();
    }
  }

  async #suspectLost(): Promise<void> {
    const { store, clock, orphanPage, orphanAgeSeconds } = this.#options;
    const now = clock();
    const { files, next } = await store.list(this.#after, orphanPage);
    const old = files.filter(
      ({ key, modified }) => modified < now - orphanAgeSeconds * 1000 && !this.#suspects.has(key),
    );
    for (const key of await this.#lostOf(old.map(({ key }) => key))) {
      this.#suspects.set(key, now);
    }
    this.#after = next ?? '';
  }

  async #deleteLost(): Promise<void> {
    const { store, telemetry, clock, orphanPage, orphanDoubtSeconds } = this.#options;
    const before = clock() - orphanDoubtSeconds * 1000;
    const ripe = [...this.#suspects].filter(([, since]) => since <= before).slice(0, orphanPage);
    const keys = ripe.map(([key]) => key);
    const lost = await this.#lostOf(keys);
    if (lost.length > 0) {
      await store.remove(lost);
    }
    for (const key of keys) {
      this.#suspects.delete(key);
    }
    telemetry.orphansDeleted(lost, keys.length - lost.length);
  }

  async #lostOf(keys: readonly string[]): Promise<string[]> {
    if (keys.length === 0) {
      return [];
    }
    const { body } = await this.#options.bus.call(OBJECTS.lostFiles, {}, Buffer.from(JSON.stringify(keys)));
    return JSON.parse(Buffer.from(body).toString());
  }
}
