/**
 * What waits for other domains, in a file.
 *
 * Invariants: one process has the file, which is the one that has the data folder. What `append` resolved for is on the disk:
 * SQLite writes its log and does not sync it (`synchronous=NORMAL`), and the log is synced here, in Node's thread pool, for all
 * that came meanwhile; a sync that failed is never repeated, since the kernel forgets what it could not write. What is not on
 * the disk is not read either, as its number is given to another one if it is lost, and the other side has that already. What is
 * taken out need not be durable: it would be told twice.
 */
import { close, fdatasync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { promisify } from 'node:util';
import {
  type RemoteLine,
  type RemoteNotification,
  type RemoteNotificationHeaders,
  remoteNotificationId,
} from '@fosp/bus';
import type { Waiting } from './line-levels.ts';
import { migrate } from './migrate.ts';

const FILE = 'federation.sqlite';

export interface NewNotification {
  readonly domain: string;
  readonly headers: RemoteNotificationHeaders;
  readonly body: Uint8Array;
}

export class NotificationFile {
  readonly #database: DatabaseSync;
  readonly #log: number;
  readonly #insert: StatementSync;
  readonly #read: StatementSync;
  readonly #remove: StatementSync;
  readonly #removeOldest: StatementSync;
  readonly #removeExpired: StatementSync;
  readonly #levels: StatementSync;
  #next: PromiseWithResolvers<void> | undefined;
  #syncing: Promise<void> | undefined;
  #failure: Error | undefined;
  /** The last positions: that was added, and that is on the disk with all before it. */
  #added: number;
  #onDisk: number;

  /** Throws where the file cannot be had. `now` in milliseconds since the epoch. */
  constructor(folder: string, now: number) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, FILE);
    const database = new DatabaseSync(path, { timeout: 1000 });
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216;');
    migrate(database, path, now);
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    this.#database = database;
    this.#log = openSync(`${path}-wal`, 'r+');
    this.#insert = database.prepare(
      'INSERT INTO notifications (domain, id, headers, body, appended) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING',
    );
    this.#read = database.prepare(
      'SELECT position, headers, body, appended FROM notifications WHERE domain = ? AND own = ? AND position > ? AND position <= ? ORDER BY position LIMIT ?',
    );
    this.#remove = database.prepare('DELETE FROM notifications WHERE domain = ? AND own = ? AND position <= ?');
    this.#removeOldest = database.prepare(
      'DELETE FROM notifications WHERE position IN (SELECT position FROM notifications WHERE domain = ? AND own = ? ORDER BY position LIMIT ?)',
    );
    this.#removeExpired = database.prepare('DELETE FROM notifications WHERE domain = ? AND own = ? AND appended < ?');
    this.#added = Number(database.prepare('SELECT max(position) AS last FROM notifications').get()?.['last'] ?? 0);
    this.#onDisk = this.#added;
    this.#levels = database.prepare(
      'SELECT domain, own, count(*) AS count, sum(length(body)) AS bytes FROM notifications GROUP BY domain, own',
    );
  }

  /** Adds them together; of one that waits already nothing is added. Call `durable` then. @returns those that were added */
  add(notifications: readonly NewNotification[], now: number): NewNotification[] {
    this.#database.exec('BEGIN');
    let last = this.#added;
    try {
      const added = notifications.filter(({ domain, headers, body }) => {
        const row = [domain, remoteNotificationId(headers), JSON.stringify(headers), body, now] as const;
        const { changes, lastInsertRowid } = this.#insert.run(...row);
        last = changes === 0 ? last : Number(lastInsertRowid);
        return changes !== 0;
      });
      this.#database.exec('COMMIT');
      this.#added = last;
      return added;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  /** Of those on the disk, in order, behind a position: so many at most, and no more once they have so many bytes. */
  read(
    { own, domain }: RemoteLine,
    behind: number,
    most: { readonly count: number; readonly bytes: number },
  ): RemoteNotification[] {
    const notifications: RemoteNotification[] = [];
    let bytes = 0;
    for (const row of this.#read.iterate(domain, own, behind, this.#onDisk, most.count)) {
      const body = row['body'] instanceof Uint8Array ? row['body'] : new Uint8Array(0);
      const headers: RemoteNotificationHeaders = JSON.parse(String(row['headers']));
      notifications.push({ headers, body, position: Number(row['position']), appendedAt: Number(row['appended']) });
      bytes += body.length;
      if (bytes >= most.bytes) {
        break;
      }
    }
    return notifications;
  }

  /** @returns how many are gone: all up to the position. */
  remove({ own, domain }: RemoteLine, position: number): number {
    return Number(this.#remove.run(domain, own, position).changes);
  }

  removeOldest({ own, domain }: RemoteLine, count: number): number {
    return Number(this.#removeOldest.run(domain, own, count).changes);
  }

  /** @returns how many are gone: those appended before this, in milliseconds since the epoch. */
  removeExpired({ own, domain }: RemoteLine, before: number): number {
    return Number(this.#removeExpired.run(domain, own, before).changes);
  }

  levels(): Waiting[] {
    return this.#levels.all().map(({ domain, own, count, bytes }) => ({
      ...{ domain: String(domain), own: String(own) },
      ...{ count: Number(count), bytes: Number(bytes) },
    }));
  }

  /** Resolves once all that was added before is on the disk. */
  durable(): Promise<void> {
    if (this.#failure !== undefined) {
      return Promise.reject(this.#failure);
    }
    this.#next ??= Promise.withResolvers();
    const { promise } = this.#next;
    if (this.#syncing === undefined) {
      this.#sync();
    }
    return promise;
  }

  async close(): Promise<void> {
    await this.#syncing;
    await promisify(close)(this.#log);
    this.#database.close();
  }

  #sync(): void {
    const [covered, last] = [this.#next, this.#added];
    this.#next = undefined;
    this.#syncing = new Promise((resolve) => {
      fdatasync(this.#log, (error) => {
        this.#syncing = undefined;
        if (error !== null) {
          this.#failure ??= error;
          covered?.reject(error);
          this.#next?.reject(error);
          this.#next = undefined;
        } else {
          this.#onDisk = last;
          covered?.resolve();
        }
        if (this.#next !== undefined) {
          this.#sync();
        }
        resolve();
      });
    });
  }
}
