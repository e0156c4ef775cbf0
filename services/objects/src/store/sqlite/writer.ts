/**
 * All writes, one after the other, in batches that share a transaction and a sync of the disk.
 *
 * Invariants:
 * - Nobody is told the outcome of a write before it is durable: neither its own caller (a refusal, too, may rest on what an
 *   earlier write of the batch did) nor a reader of its tree, for whom `settled` waits.
 * - A batch runs without leaving the event loop: its writes await nothing but values that are at hand. So nothing else
 *   happens on the connection between BEGIN and COMMIT; a reader that comes all the same waits for the batch.
 * - A write that fails after it changed something undoes the whole batch, whose writes then run again one by one: no write
 *   suffers from its neighbours.
 *
 * A batch begins in the turn of the event loop after its first write came, so that all that came with it come along; while
 * the disk is busy it waits and grows, up to `batch`, since it could not be acknowledged earlier anyway.
 */
import { type FospError, fospError, isFospError } from '@fosp/protocol';
import type { Checkpoints } from './checkpoints.ts';
import type { Database, Query } from './database.ts';
import type { LogSync } from './log-sync.ts';
import type { Tables } from './tables.ts';
import { Sequences, SqliteTransaction } from './transaction.ts';

export interface WriterOptions {
  /** Writes in one transaction. */
  readonly batch: number;
  /** Writes that wait; more are refused with 503. */
  readonly waitingWrites: number;
  /** Seconds after which who was refused may come back. */
  readonly retryAfter: number;
}

export interface WriterParts {
  readonly database: Database;
  readonly tables: Tables;
  readonly sync: LogSync;
  readonly checkpoints: Checkpoints;
  readonly onTrouble: (what: string, error?: unknown) => void;
}

interface Job {
  readonly tree: string;
  /** Whether its caller waits until it is durable. */
  readonly durable: boolean;
  /** Resolves to what tells the caller how it went. */
  readonly run: (tx: SqliteTransaction) => Promise<() => void>;
  readonly reject: (error: unknown) => void;
}

/** A job that ran. */
interface Done {
  readonly job: Job;
  /** Rows, roughly. */
  readonly changes: number;
  readonly tell: () => void;
}

export class Writer {
  readonly #parts: WriterParts;
  readonly #options: WriterOptions;
  readonly #begin: Query;
  readonly #commit: Query;
  #waiting: Job[] = [];
  #isScheduled = false;
  #batch: Promise<void> | undefined;
  /** Trees with commits that are not durable yet: until when. */
  readonly #unsettled = new Map<string, Promise<void>>();
  #closed = false;

  constructor(parts: WriterParts, options: WriterOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#begin = parts.database.prepare('BEGIN IMMEDIATE');
    this.#commit = parts.database.prepare('COMMIT');
  }

  /** See `Store.write`. What need not be durable (a repetition does no harm) is told as soon as it is committed. */
  write<T>(tree: string, work: (tx: SqliteTransaction) => Promise<T>, { durable = true } = {}): Promise<T> {
    const { failure } = this.#parts.sync;
    if (this.#closed || failure !== undefined || this.#waiting.length >= this.#options.waitingWrites) {
      return Promise.reject(this.#unavailable(failure));
    }
    return new Promise((resolve, reject) => {
      const run = async (tx: SqliteTransaction) => {
        const value = await work(tx);
        return () => resolve(value);
      };
      this.#waiting.push({ tree, durable, run, reject });
      this.proceed();
    });
  }

  /** Waits for the running batch, so that a reader sees none of it; undefined where there is none. */
  get running(): Promise<void> | undefined {
    return this.#batch;
  }

  /** Resolves once all that is committed on this tree is durable; undefined where it is. Rejects where it never will be. */
  settled(tree: string): Promise<void> | undefined {
    return this.#unsettled.get(tree);
  }

  /** Begins a batch soon, if there is one and nothing stands in its way. */
  proceed(): void {
    const { sync, checkpoints } = this.#parts;
    const enough = sync.isRunning ? this.#options.batch : 1;
    const isBusy = this.#isScheduled || this.#batch !== undefined || checkpoints.holds;
    if (!isBusy && this.#waiting.length >= enough) {
      this.#isScheduled = true;
      setImmediate(() => this.#run());
    }
  }

  /** Takes no more writes, and ends those it has. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#waiting.length > 0 || this.#batch !== undefined || this.#unsettled.size > 0) {
      const [unsettled] = this.#unsettled.values();
      await (this.#batch ?? unsettled?.catch(() => undefined) ?? new Promise((resolve) => setImmediate(resolve)));
      if (this.#parts.sync.failure !== undefined) {
        break;
      }
    }
  }

  #run(): void {
    this.#isScheduled = false;
    const jobs = this.#waiting.splice(0, this.#options.batch);
    this.#batch = this.#together(jobs).finally(() => {
      this.#batch = undefined;
      this.proceed();
    });
  }

  async #together(jobs: readonly Job[]): Promise<void> {
    const { database, sync } = this.#parts;
    const { failure } = sync;
    if (failure !== undefined) {
      this.#refuse(jobs, this.#unavailable(failure));
      return;
    }
    try {
      this.#begin.run();
      const done = await this.#attempt(jobs);
      this.#commit.run();
      this.#acknowledge(done);
    } catch (error) {
      if (database.isInTransaction) {
        database.exec('ROLLBACK');
      }
      if (jobs.length === 1) {
        this.#refuse(jobs, this.#explained(error));
        return;
      }
      for (const job of jobs) {
        await this.#together([job]);
      }
    }
  }

  /** Throws where the transaction must be undone. */
  async #attempt(jobs: readonly Job[]): Promise<Done[]> {
    const { tables } = this.#parts;
    const sequences = new Sequences(tables);
    const done: Done[] = [];
    for (const job of jobs) {
      const tx = new SqliteTransaction(job.tree, tables, sequences);
      try {
        const tell = await job.run(tx);
        done.push({ job, changes: tx.changes, tell });
      } catch (error) {
        if (tx.changes > 0 || !isFospError(error)) {
          throw error;
        }
        done.push({ job, changes: 0, tell: () => job.reject(error) });
      }
    }
    sequences.save();
    return done;
  }

  #acknowledge(done: readonly Done[]): void {
    const written = done.filter(({ changes }) => changes > 0);
    if (!written.some(({ job }) => job.durable)) {
      for (const { job, tell } of done) {
        // A refusal may rest on what an earlier batch did.
        const settled = this.#unsettled.get(job.tree);
        settled === undefined || !job.durable
          ? tell()
          : settled.then(tell, () => this.#refuse([job], this.#unavailable()));
      }
      return;
    }
    const trees = new Set(written.map(({ job }) => job.tree));
    const durable = this.#parts.sync.durable();
    for (const tree of trees) {
      this.#unsettled.set(tree, durable);
    }
    durable.then(
      () => {
        for (const tree of trees) {
          if (this.#unsettled.get(tree) === durable) {
            this.#unsettled.delete(tree);
          }
        }
        for (const { tell } of done) {
          tell();
        }
      },
      (error) => {
        this.#parts.onTrouble('Changes could not be made durable; nothing can be written until a restart', error);
        this.#refuse(
          done.map(({ job }) => job),
          this.#unavailable(error),
        );
      },
    );
    this.#parts.checkpoints.wrote(written.reduce((sum, { changes }) => sum + changes, 0));
  }

  #refuse(jobs: readonly Job[], error: unknown): void {
    for (const job of jobs) {
      job.reject(error);
    }
  }

  #explained(error: unknown): unknown {
    if (isFospError(error) || !isDiskError(error)) {
      return error;
    }
    this.#parts.onTrouble('A change could not be written to the database', error);
    return this.#unavailable(error);
  }

  #unavailable(cause?: unknown): FospError {
    const headers = { 'Retry-After': String(this.#options.retryAfter) };
    return fospError('unavailable', 'The server cannot store changes at the moment.', { headers, cause });
  }
}

/** BUSY, NOMEM, READONLY, IOERR, FULL, CANTOPEN: the machine's fault, which may pass. */
const DISK_ERRORS: ReadonlySet<number> = new Set([5, 7, 8, 10, 13, 14]);

function isDiskError(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'errcode' in error &&
    typeof error.errcode === 'number' &&
    DISK_ERRORS.has(error.errcode & 0xff)
  );
}
