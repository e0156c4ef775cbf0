/**
 * The store of the cluster: Postgres, shared with other processes of this service.
 *
 *     write ─► Writer ─► Pool                 one transaction per tree at a time, each on a connection of its own
 *                  └───► Commits              small ones of many trees together
 *     listing ─► Pool                         a transaction too, which only reads
 *     snapshot, outbox, files ─► SharedConnections     single statements of many, sent as they come
 *
 * What is read is of one moment, since it is one statement or one snapshot, and durable, since Postgres shows no change that is not.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { backOff, bound, Health, Metrics, traced } from '@fosp/runtime';
import { bytesAt } from '../cells.ts';
import type { Migration } from '../migrations.ts';
import type {
  Account,
  FileStore,
  Listing,
  ListingQuery,
  Snapshot,
  Store,
  TreeTransaction,
  WriteHint,
} from '../store.ts';
import { Commits } from './commits.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { isPassing, Overload, unavailable } from './failures.ts';
import { PostgresFiles } from './files.ts';
import { SECRETS } from './housekeeping-statements.ts';
import { list } from './listing.ts';
import { checkDatabase, connect, knownMigrations } from './migrate.ts';
import { PostgresOutbox } from './outbox.ts';
import { Pool, persistently, SharedConnections } from './pool.ts';
import { Reach } from './reach.ts';
import { accountOf, pathsOfPlace, placeOf } from './rows.ts';
import { DEFAULT_CONNECTIONS, sharesOf } from './shares.ts';
import { TRANSACTION } from './spans.ts';
import { PLACES, WRITES } from './statements.ts';
import { Sweep } from './sweep.ts';
import {
  addPostgresLevels,
  createPostgresTelemetry,
  type PoolLevels,
  type PoolName,
  type PostgresTelemetry,
} from './telemetry.ts';
import { Writer } from './writer.ts';

/** Milliseconds, where nothing else is said. */
export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string;
  /** Told of what an operator must know: the database is away, or back. */
  readonly onTrouble?: (what: string, error?: unknown) => void;
  /** Told while the database cannot be reached: the process is not ready then. */
  readonly health?: Pick<Health, 'obstruct'>;
  readonly metrics?: Metrics;
  readonly migrations?: readonly Migration[];
  /** Shown in the server's list of connections; `fosp-objects`. */
  readonly application?: string;
  /** From 0 up to 1; `Math.random`. */
  readonly random?: () => number;

  /** Connections for writes, each with one transaction at a time; 16. */
  readonly writeConnections?: number;
  /** Connections for writes that take no lock, each with one transaction of many trees at a time; 2. */
  readonly commitConnections?: number;
  /** Connections for reads that are one statement, shared by all of them, and as many for listings; 4. */
  readonly readConnections?: number;
  readonly connectTimeout?: number;
  readonly statementTimeout?: number;
  /** How long a write waits for another process's write to its tree. */
  readonly lockTimeout?: number;
  /** How long nothing may come from the server while something is expected, before the connection is given up. */
  readonly answerPatience?: number;
  /** How long a transaction waits for a connection. */
  readonly connectionPatience?: number;
  /** Reads without an answer; more are refused with 503; 10,000. */
  readonly waitingReads?: number;
  /** Writes that wait; more are refused with 503; 10,000. */
  readonly waitingWrites?: number;
  /** Writes of one tree that share a transaction; 64. */
  readonly batch?: number;
  /** Times that a transaction is tried; 4. */
  readonly attempts?: number;
  readonly firstPause?: number;
  readonly longestPause?: number;
  /**
   * After which a tree that a process took to relay it, and never settled, is free to others. With the next look for such
   * trees it is how late notifications come of a tree whose relay died. One that is only slower than that costs repeats.
   */
  readonly relayLease?: number;
  /** Between two looks whether the database is there. */
  readonly probeInterval?: number;
  /** Seconds after which who was refused may come back. */
  readonly retryAfter?: number;
}

const DEFAULTS = {
  onTrouble: warn,
  application: 'fosp-objects',
  random: Math.random,
  ...sharesOf(DEFAULT_CONNECTIONS),
  connectTimeout: 3_000,
  statementTimeout: 5_000,
  lockTimeout: 3_000,
  answerPatience: 8_000,
  connectionPatience: 3_000,
  waitingReads: 10_000,
  waitingWrites: 10_000,
  batch: 64,
  attempts: 4,
  firstPause: 20,
  longestPause: 500,
  relayLease: 2_000,
  probeInterval: 1_000,
  retryAfter: 1,
};

const SECRET_BYTES = 32;

/**
 * Connects, and checks that the schema is the one this program knows.
 * @throws StartError where the database cannot be reached, or must be migrated first
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<PostgresStore> {
  const complete = {
    ...DEFAULTS,
    health: new Health(),
    metrics: new Metrics(),
    migrations: knownMigrations(),
    ...options,
  };
  const first = await connect(connectionOptions(complete));
  try {
    await checkDatabase(first, complete.migrations);
  } finally {
    await first.close();
  }
  return new SharedStore(complete);
}

export interface PostgresStore extends Store {
  /** Why the database is of no use at the moment; undefined while all is well. */
  failure(): string | undefined;
}

class SharedStore implements PostgresStore {
  readonly outbox: PostgresOutbox;
  readonly files: FileStore;
  /** Never: what is wrong here passes without a restart. */
  readonly failed = new Promise<string>(() => undefined);
  readonly #reach: Reach;
  readonly #pool: Pool;
  readonly #commits: Pool;
  readonly #readers: Pool;
  readonly #shared: SharedConnections;
  readonly #writer: Writer;
  readonly #telemetry: PostgresTelemetry;
  readonly #retryAfter: number;

  constructor(options: Required<PostgresStoreOptions>) {
    const { random, firstPause, longestPause, connectionPatience } = options;
    const { writeConnections, commitConnections, readConnections } = options;
    this.#retryAfter = options.retryAfter;
    const telemetry = createPostgresTelemetry(options.metrics);
    this.#telemetry = telemetry;
    const connectFor = (pool: PoolName | undefined) =>
      Connection.open({ ...connectionOptions(options), roundTrips: pool && telemetry.roundTrips[pool] });
    this.#reach = new Reach(connectFor, { ...options, telemetry });
    const open = (pool: PoolName) => () => this.#reach.open(pool);
    const waiting = { waiting: options.waitingWrites, patience: connectionPatience };
    this.#pool = new Pool(open('writes'), { connections: writeConnections, ...waiting });
    this.#commits = new Pool(open('commits'), { connections: commitConnections, ...waiting });
    this.#readers = new Pool(open('listings'), {
      connections: readConnections,
      waiting: options.waitingReads,
      patience: connectionPatience,
    });
    this.#shared = new SharedConnections(open('reads'), {
      connections: readConnections,
      waiting: options.waitingReads,
    });
    const pause = (failures: number) => backOff(failures, random(), { first: firstPause, longest: longestPause });
    const commits = new Commits(this.#commits, { atOnce: commitConnections, ...waiting });
    this.#writer = new Writer(
      { writing: this.#pool, reading: this.#shared, commits },
      {
        ...options,
        pause,
        refused: (writes) => telemetry.refused('writes', writes),
      },
    );
    this.#addLevels(options.metrics, commits);
    const guard = <T>(work: () => Promise<T>) => this.#guarded(work);
    const parts = { connections: this.#shared, sweep: new Sweep(this.#pool), guard };
    this.outbox = new PostgresOutbox(parts, { holder: randomUUID(), lease: options.relayLease });
    this.files = new PostgresFiles(this.#shared, guard);
  }

  async snapshot(tree: string, path: string, reader: string): Promise<Snapshot> {
    const values = [tree, pathsOfPlace(path), path, reader];
    const { rows } = await this.#guarded(() => this.#shared.run(PLACES.snapshot, values));
    const { object, levels, groups, subscriptions } = placeOf(path, rows);
    return { object, levels, groups, subscriptions: subscriptions.get(path) ?? [] };
  }

  listing(tree: string, path: string, query: ListingQuery): Promise<Listing> {
    return this.#guarded(() =>
      persistently(() => this.#readers.with((connection) => list(connection, { tree, path }, query))),
    );
  }

  async account(user: string): Promise<Account | undefined> {
    const [row] = (await this.#guarded(() => this.#shared.run(WRITES.account, [user]))).rows;
    return row && accountOf(row);
  }

  async secret(name: string): Promise<Uint8Array> {
    const value = new Uint8Array(randomBytes(SECRET_BYTES));
    const get = () => this.#guarded(() => this.#shared.run(SECRETS.get, [name]));
    let [row] = (await get()).rows;
    if (row === undefined) {
      // Whoever comes first makes it for all.
      await this.#guarded(() => this.#shared.together([[SECRETS.add, [name, value]]]));
      [row] = (await get()).rows;
    }
    return bytesAt(row ?? [], 0);
  }

  write<T>(tree: string, work: (tx: TreeTransaction) => Promise<T>, hint?: WriteHint): Promise<T> {
    return traced(TRANSACTION, () => this.#writer.write(tree, bound(work), hint));
  }

  failure(): string | undefined {
    return this.#reach.failure;
  }

  async close(): Promise<void> {
    await this.#writer.close();
    await this.outbox.releaseAll();
    await this.#reach.close();
    await Promise.all([this.#pool.close(), this.#commits.close(), this.#readers.close(), this.#shared.close()]);
  }

  #addLevels(metrics: Metrics, commits: Commits): void {
    addPostgresLevels(metrics, {
      isUp: () => this.#reach.failure === undefined,
      pools: {
        writes: () => more(this.#pool.levels, this.#writer.waiting),
        commits: () => more(this.#commits.levels, commits.waiting),
        listings: () => this.#readers.levels,
        reads: () => this.#shared.levels,
      },
    });
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Overload) {
        this.#telemetry.refused('reads');
      }
      throw isPassing(error) ? unavailable(this.#retryAfter, error) : error;
    }
  }
}

/** With those who wait for something else before. */
function more(levels: PoolLevels, waiting: number): PoolLevels {
  return { ...levels, waiting: levels.waiting + waiting };
}

function connectionOptions(options: Required<PostgresStoreOptions>): ConnectionOptions {
  const { url, application, connectTimeout, statementTimeout, lockTimeout, answerPatience } = options;
  return { url, application, connectTimeout, statementTimeout, lockTimeout, patience: answerPatience };
}

function warn(what: string, error?: unknown): void {
  process.emitWarning(error === undefined ? what : `${what}: ${String(error)}`);
}
