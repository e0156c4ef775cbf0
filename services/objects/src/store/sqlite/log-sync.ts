/**
 * Makes commits durable without making the event loop wait for the disk.
 *
 * SQLite in WAL mode with `synchronous=NORMAL` writes a commit to its log and does not sync it. This syncs it: by
 * `fdatasync` in Node's thread pool, on a descriptor of its own, one at a time, for all commits before it began.
 *
 * Why that is enough:
 * - All that a commit wrote is in the log file when COMMIT returns, and `fdatasync` covers the whole file, whichever
 *   descriptor wrote it, its length included. Frames carry a running checksum, so recovery takes a prefix of commits.
 * - The log stays one file: SQLite deletes it when its last connection closes, or leaves WAL mode; both come after `close`.
 *   It is truncated and overwritten in place only when a checkpoint has copied all of it to the database.
 * - A checkpoint syncs the log before it writes the database (or a page could be newer than the log that explains it), and
 *   the database before it marks the log as copied. So what overwriting destroys is durable elsewhere. In NORMAL the first
 *   write after such a restart syncs the log's new header, so no old frame can be taken for one of the new round.
 * - Names: the folder is synced once the log exists.
 * - A process that dies leaves the kernel with commits that nobody synced. They are read again at the next start, so the
 *   store checkpoints, which syncs, before it serves anybody.
 * - Linux reports a failed write-back once and then forgets it: a sync that failed is never repeated. From then on nothing
 *   counts as durable, every write fails, and only a restart (the checkpoint above writes all pages anew) heals it.
 */
import { close, fdatasync, openSync } from 'node:fs';
import { promisify } from 'node:util';

export class LogSync {
  readonly #descriptor: number;
  readonly #onIdle: () => void;
  /** For commits after the running sync began. */
  #next: PromiseWithResolvers<void> | undefined;
  readonly #failed = Promise.withResolvers<Error>();
  #running = false;
  #failure: Error | undefined;

  /** `path` is the log's, which exists. `onIdle` is called when a sync ended and no other follows at once. */
  constructor(path: string, onIdle: () => void) {
    this.#descriptor = openSync(path, 'r+');
    this.#onIdle = onIdle;
  }

  get isRunning(): boolean {
    return this.#running;
  }

  /** Resolves if nothing becomes durable any more. */
  get failed(): Promise<Error> {
    return this.#failed.promise;
  }

  /** Why nothing becomes durable any more. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Resolves once all that is committed now is durable. */
  durable(): Promise<void> {
    if (this.#failure !== undefined) {
      return Promise.reject(this.#failure);
    }
    this.#next ??= Promise.withResolvers();
    const { promise } = this.#next;
    if (!this.#running) {
      this.#begin();
    }
    return promise;
  }

  /** Ends the running sync first. */
  async close(): Promise<void> {
    if (this.#running) {
      await this.durable().catch(() => undefined);
    }
    await promisify(close)(this.#descriptor);
  }

  #begin(): void {
    const covered = this.#next;
    this.#next = undefined;
    this.#running = true;
    fdatasync(this.#descriptor, (error) => {
      this.#running = false;
      if (error !== null) {
        this.#fail(error, covered);
        return;
      }
      covered?.resolve();
      if (this.#next === undefined) {
        this.#onIdle();
      } else {
        this.#begin();
      }
    });
  }

  #fail(error: Error, covered: PromiseWithResolvers<void> | undefined): void {
    this.#failure = new Error('The log of the database could not be synced', { cause: error });
    this.#failed.resolve(this.#failure);
    covered?.reject(this.#failure);
    this.#next?.reject(this.#failure);
    this.#next = undefined;
    this.#onIdle();
  }
}
