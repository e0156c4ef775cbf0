/**
 * One connection to the database file, and how the rest reads rows.
 *
 * Invariant: one process has the file, held by a lock on a second one beside it, so that what this process remembers of the
 * database (which trees are not durable yet, what its cache holds) is all there is. Nothing in this process opens and closes
 * the database or its `-shm` file but SQLite: closing any descriptor of them would drop SQLite's own POSIX locks.
 */
import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { StartError } from '@fosp/runtime';

const DATABASE = 'objects.sqlite';
const LOCK = 'objects.lock';

/** Milliseconds that SQLite waits where a backup from outside holds a lock for a moment. */
const BUSY_TIMEOUT = 1_000;

/** Bytes of pages kept in memory, and the size to which the log is cut when it begins anew. */
export interface DatabaseOptions {
  readonly pageCacheBytes: number;
  readonly logBytes: number;
}

export type Row = readonly SQLOutputValue[];

/** A prepared statement. */
export class Query {
  readonly #statement: StatementSync;

  constructor(statement: StatementSync) {
    this.#statement = statement;
    statement.setReturnArrays(true);
  }

  row(...values: SQLInputValue[]): Row | undefined {
    return asRow(this.#statement.get(...values));
  }

  rows(...values: SQLInputValue[]): Row[] {
    return asRows(this.#statement.all(...values));
  }

  /** Returns the number of rows changed. */
  run(...values: SQLInputValue[]): number {
    return Number(this.#statement.run(...values).changes);
  }

  rowsNamed(values: Readonly<Record<string, SQLInputValue>>): Row[] {
    return asRows(this.#statement.all(values));
  }

  runNamed(values: Readonly<Record<string, SQLInputValue>>): number {
    return Number(this.#statement.run(values).changes);
  }
}

/** In SQL: milliseconds since the epoch. */
export const NOW = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

export class Database {
  readonly path: string;
  readonly #connection: DatabaseSync;
  readonly #lock: DatabaseSync;

  /** Opens the database in this folder, or begins one there. Throws where another process has it. */
  constructor(folder: string, options: DatabaseOptions) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.path = join(folder, DATABASE);
    this.#lock = lock(folder);
    this.#connection = new DatabaseSync(this.path, { timeout: BUSY_TIMEOUT });
    // The log is checkpointed by `Checkpoints` and synced by `LogSync`.
    this.#connection.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA wal_autocheckpoint = 0;
      PRAGMA journal_size_limit = ${options.logBytes};
      PRAGMA cache_size = -${Math.ceil(options.pageCacheBytes / 1024)};
      PRAGMA temp_store = MEMORY;
    `);
  }

  prepare(sql: string): Query {
    return new Query(this.#connection.prepare(sql));
  }

  exec(sql: string): void {
    this.#connection.exec(sql);
  }

  get isInTransaction(): boolean {
    return this.#connection.isTransaction;
  }

  /** Makes all that was ever committed durable, in the database file itself, and empties the log. Blocks. */
  checkpoint(): void {
    this.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  close(): void {
    this.#connection.close();
    this.#lock.close();
  }
}

/** Makes new names in a folder durable. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function lock(folder: string): DatabaseSync {
  const held = new DatabaseSync(join(folder, LOCK), { timeout: 0 });
  try {
    held.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    held.close();
    throw new StartError(`another process uses the data in ${folder}; stop it, or set another folder`, {
      cause: error,
    });
  }
  return held;
}

/** The types of `node:sqlite` do not know `setReturnArrays`. */
function asRow(row: unknown): Row | undefined {
  return row as Row | undefined;
}

function asRows(rows: unknown): Row[] {
  return rows as Row[];
}
