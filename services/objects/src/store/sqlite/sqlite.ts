/**
 * The store of standalone: SQLite in this process, on one connection. Reads are at hand at once, unless their tree has
 * changes that are not durable yet. See `Writer` for writes, `LogSync` for durability, `Checkpoints` for the log's size.
 */
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { bound } from '@fosp/runtime';
import { bytesAt } from '../cells.ts';
import type { Migration } from '../migrations.ts';
import type {
  Account,
  FileStore,
  Listing,
  ListingQuery,
  Outbox,
  Snapshot,
  Soon,
  Store,
  TreeTransaction,
} from '../store.ts';
import { Checkpoints } from './checkpoints.ts';
import { Database, type Query, syncFolder } from './database.ts';
import { SqliteFiles } from './files.ts';
import { LogSync } from './log-sync.ts';
import { knownMigrations, migrate } from './migrate.ts';
import { SqliteOutbox } from './outbox.ts';
import { Tables } from './tables.ts';
import { Writer } from './writer.ts';

export interface SqliteStoreOptions {
  /** Folder of the database; made where it is missing. */
  readonly folder: string;
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  /** Told of what an operator must know: the disk is full or broken, the log grows. */
  readonly onTrouble?: (what: string, error?: unknown) => void;
  readonly migrations?: readonly Migration[];
  /** Bytes of database pages kept in memory; 64 MiB. */
  readonly pageCacheBytes?: number;
  /** Size of the log over which writes are held back until it is copied; 64 MiB. */
  readonly logBytes?: number;
  /** Changed rows after which the log is copied into the database; 5,000. */
  readonly rowsPerCheckpoint?: number;
  /** Writes that share a transaction; 64. */
  readonly batch?: number;
  /** Writes that wait; more are refused with 503; 10,000. */
  readonly waitingWrites?: number;
  /** Seconds after which who was refused may come back; 1. */
  readonly retryAfter?: number;
}

const DEFAULTS = {
  clock: Date.now,
  onTrouble: warn,
  pageCacheBytes: 64 * 1024 * 1024,
  logBytes: 64 * 1024 * 1024,
  rowsPerCheckpoint: 5_000,
  batch: 64,
  waitingWrites: 10_000,
  retryAfter: 1,
};

const SECRET_BYTES = 32;
const NO_TREE = '';

/** Opens the database in a folder, brings it up to date, and makes all that it holds durable. Throws where it cannot. */
export function openSqliteStore(options: SqliteStoreOptions): Store {
  const complete = { ...DEFAULTS, migrations: knownMigrations(), ...options };
  const database = new Database(complete.folder, complete);
  try {
    migrate(database, complete.migrations, complete.clock());
    database.checkpoint();
    syncFolder(dirname(database.path));
    return new SqliteStore(database, complete);
  } catch (error) {
    database.close();
    throw error;
  }
}

class SqliteStore implements Store {
  readonly outbox: Outbox;
  readonly files: FileStore;
  readonly failed: Promise<string>;
  readonly #database: Database;
  readonly #tables: Tables;
  readonly #writer: Writer;
  readonly #sync: LogSync;
  readonly #checkpoints: Checkpoints;
  readonly #begin: Query;
  readonly #commit: Query;
  readonly #secret: Query;
  readonly #addSecret: Query;

  constructor(database: Database, options: Required<SqliteStoreOptions>) {
    const { logBytes, onTrouble, rowsPerCheckpoint } = options;
    const proceed = () => this.#writer.proceed();
    this.#database = database;
    this.#tables = new Tables(database);
    this.#begin = database.prepare('BEGIN');
    this.#commit = database.prepare('COMMIT');
    this.#secret = database.prepare('SELECT value FROM secrets WHERE name = ?');
    this.#addSecret = database.prepare('INSERT INTO secrets (name, value) VALUES (?, ?)');
    this.#sync = new LogSync(`${database.path}-wal`, proceed);
    this.failed = this.#sync.failed.then(({ message }) => message);
    this.#checkpoints = new Checkpoints(
      database.path,
      { everyRows: rowsPerCheckpoint, logBytes },
      { onRelease: proceed, onTrouble },
    );
    const parts = { database, tables: this.#tables, sync: this.#sync, checkpoints: this.#checkpoints, onTrouble };
    this.#writer = new Writer(parts, options);
    this.outbox = new SqliteOutbox(database, this.#writer, (tree, read) => this.#read(tree, read));
    this.files = new SqliteFiles(database, this.#writer);
  }

  snapshot(tree: string, path: string, reader: string): Soon<Snapshot> {
    return this.#read(tree, () => this.#tables.rows.snapshot(tree, path, reader));
  }

  listing(tree: string, path: string, query: ListingQuery): Soon<Listing> {
    return this.#read(tree, () => this.#tables.rows.listing(tree, path, query));
  }

  account(user: string): Soon<Account | undefined> {
    return this.#read(user, () => this.#tables.account(user));
  }

  secret(name: string): Promise<Uint8Array> {
    return this.#writer.write(NO_TREE, async (tx) => {
      const row = this.#secret.row(name);
      if (row !== undefined) {
        return bytesAt(row, 0);
      }
      const value = new Uint8Array(randomBytes(SECRET_BYTES));
      tx.changed();
      this.#addSecret.run(name, value);
      return value;
    });
  }

  write<T>(tree: string, work: (tx: TreeTransaction) => Promise<T>): Promise<T> {
    // It may run in a transaction that another one began.
    return this.#writer.write(tree, bound(work));
  }

  async close(): Promise<void> {
    await this.#writer.close();
    await this.#checkpoints.close();
    await this.#sync.close();
    this.#database.close();
  }

  /** What it read is durable when it is handed over. Statements between two turns of the event loop see one moment. */
  #read<T>(tree: string, read: () => T): Soon<T> {
    const { running } = this.#writer;
    if (running !== undefined) {
      return running.then(() => this.#read(tree, read));
    }
    const value = this.#inTransaction(read);
    const settled = this.#writer.settled(tree);
    return settled === undefined ? value : settled.then(() => value);
  }

  /** Which is cheaper than a transaction for each of its statements. */
  #inTransaction<T>(read: () => T): T {
    this.#begin.run();
    try {
      return read();
    } finally {
      this.#commit.run();
    }
  }
}

function warn(what: string, error?: unknown): void {
  process.emitWarning(error === undefined ? what : `${what}: ${String(error)}`);
}
