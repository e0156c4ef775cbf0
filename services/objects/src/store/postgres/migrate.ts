/**
 * Brings the schema up to date, and checks at start that it is. A program refuses a schema that lacks migrations it knows, or
 * that has breaking ones it does not know.
 *
 * Services go on working meanwhile. Who waits for a lock on a table has all wait behind them who come later, so a migration
 * waits for one but a moment, gives up, and tries again after a pause in which those get their turn.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { StartError } from '@fosp/runtime';
import { numberAt, textAt } from '../cells.ts';
import { type Migration, migrationsIn, statementsOf } from '../migrations.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { DatabaseFailure } from './failures.ts';

// Named from the folder above, so that it is found from a bundle too, in which this file and its twin are one.
const FOLDER = new URL('../postgres/migrations/', import.meta.url);

/** Held while one process migrates: any number that is ours. */
const LOCK = 0x46_4f_53_50;

const UNDEFINED_TABLE = '42P01';

const TRY_LOCK = { name: 'tryLock', text: `SELECT pg_try_advisory_lock(${LOCK})` };
/** Where it may be seen: of another user's sessions not all is. The key of the lock is less than 2^32. */
const HOLDER = {
  name: 'lockHolder',
  text: `SELECT concat_ws(', ', 'process ' || lock.pid, application_name, 'from ' || host(client_addr), 'since ' || backend_start)
    FROM pg_locks lock LEFT JOIN pg_stat_activity activity ON activity.pid = lock.pid
    WHERE locktype = 'advisory' AND classid = 0 AND objid = ${LOCK} AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
};
const APPLIED = { name: 'applied', text: 'SELECT number, name, breaking FROM migrations ORDER BY number' };
const ADD = {
  name: 'addMigration',
  text: 'INSERT INTO migrations (number, name, breaking, applied) VALUES ($1, $2, $3, now())',
};

const LOCK_NOT_AVAILABLE = '55P03';

/** No bound on how long a statement takes once it has its locks. */
const UNBOUNDED = { statementTimeout: 0, patience: 0x7f_ff_ff_ff };

const DEFAULTS = {
  connectTimeout: 10_000,
  lockTimeout: 1_000,
  lockPause: 1_000,
  lockTries: 120,
  turnPause: 200,
  tellPause: 10_000,
};

export interface MigrateOptions {
  readonly migrations?: readonly Migration[];
  /** By which the URL was set; FOSP_POSTGRES_URL. */
  readonly variable?: string;
  /** Milliseconds; 10,000. */
  readonly connectTimeout?: number;
  /** Milliseconds that a statement waits for a lock; less than what the services' wait, 3,000, so that none of them fails. 1,000. */
  readonly lockTimeout?: number;
  /** Milliseconds until it is tried again, 1,000, and how often that is done: 120. */
  readonly lockPause?: number;
  readonly lockTries?: number;
  /** Milliseconds between two looks whether another process still migrates; 200. */
  readonly turnPause?: number;
  /** Told that another process is waited for, and for which: at once, and then every so many milliseconds; 10,000. */
  readonly onWait?: (what: string) => void;
  readonly tellPause?: number;
}

/** The migrations that this program knows, in order. */
export function knownMigrations(): Migration[] {
  return migrationsIn(FOLDER);
}

/**
 * Applies what is missing, each migration in one transaction, while no other process does. Returns the names of those.
 * @throws StartError where the database cannot be reached, its schema is of a newer program and breaks with this one, or a lock
 * is not to be had
 */
export async function migratePostgres(url: string, options: MigrateOptions = {}): Promise<string[]> {
  const { migrations = knownMigrations() } = options;
  const times = { ...DEFAULTS, ...options };
  const connection = await connect(
    { url, application: 'fosp-objects migrate', ...times, ...UNBOUNDED },
    options.variable,
  );
  try {
    await ourTurn(connection, times);
    await connection.script(`CREATE TABLE IF NOT EXISTS migrations (
      number integer PRIMARY KEY, name text NOT NULL, breaking boolean NOT NULL, applied timestamptz NOT NULL)`);
    const missing = await missingOf(connection, migrations);
    for (const migration of missing) {
      await (migration.concurrent
        ? applyConcurrently(connection, migration)
        : applyPatiently(connection, migration, times));
    }
    return missing.map(({ name }) => name);
  } finally {
    // The lock goes with it.
    await connection.close();
  }
}

/** Throws `StartError` where this program must not run on the database. */
export async function checkDatabase(connection: Connection, migrations: readonly Migration[]): Promise<void> {
  const missing = await missingOf(connection, migrations).catch((error: unknown) => {
    if (error instanceof DatabaseFailure && error.code === UNDEFINED_TABLE) {
      return migrations;
    }
    throw error;
  });
  const [first] = missing;
  if (first !== undefined) {
    throw new StartError(
      `the database of the objects service lacks the migration ${first.name}; run "fosp-objects migrate" first`,
    );
  }
  const settings = ['server_encoding', 'synchronous_commit'].map((name) =>
    connection.run({ name, text: `SHOW ${name}` }, []),
  );
  const [encoding, commit] = (await Promise.all(settings)).map(({ rows }) => textAt(rows[0] ?? [], 0));
  if (encoding !== 'UTF8') {
    throw new StartError(`the database of the objects service is encoded in ${encoding}; create it with UTF8`);
  }
  if (commit === 'off') {
    throw new StartError('synchronous_commit is off: a crash would lose acknowledged changes; set it to on');
  }
}

/** Throws `StartError` where the database cannot be reached. */
export async function connect(options: ConnectionOptions, variable = 'FOSP_POSTGRES_URL'): Promise<Connection> {
  try {
    return await Connection.open(options);
  } catch (error) {
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message || error.message : '';
    throw new StartError(`cannot reach the database of the objects service (${reason}); check ${variable}`, {
      cause: error,
    });
  }
}

async function missingOf(connection: Connection, migrations: readonly Migration[]): Promise<readonly Migration[]> {
  const { rows } = await connection.run(APPLIED, []);
  const known = new Set(migrations.map(({ number }) => number));
  for (const row of rows) {
    if (row[2] === true && !known.has(numberAt(row, 0))) {
      throw new StartError(
        `the database was brought to a newer form (${textAt(row, 1)}) by a newer version of this program; run that one`,
      );
    }
  }
  const applied = new Set(rows.map((row) => numberAt(row, 0)));
  return migrations.filter(({ number }) => !applied.has(number));
}

type Turn = Pick<MigrateOptions, 'onWait'> & Required<Pick<MigrateOptions, 'turnPause' | 'tellPause'>>;

/**
 * Asked for again and again: who waited for the lock would be a transaction, and the building of an index waits for the end of
 * all that there are.
 */
async function ourTurn(connection: Connection, { turnPause, tellPause, onWait }: Turn): Promise<void> {
  for (let waited = 0, told = 0; ; waited += turnPause) {
    const { rows } = await connection.run(TRY_LOCK, []);
    if (rows[0]?.[0] === true) {
      return;
    }
    if (waited >= told) {
      told = waited + tellPause;
      onWait?.(
        `Another process migrates this database (${await holderOfLock(connection)}): waiting until it has ended.`,
      );
    }
    await pause(turnPause);
  }
}

async function holderOfLock(connection: Connection): Promise<string> {
  const [row] = (await connection.run(HOLDER, [])).rows;
  return row === undefined ? 'which has just ended' : textAt(row, 0);
}

interface LockTimes {
  readonly lockPause: number;
  readonly lockTries: number;
}

async function applyPatiently(connection: Connection, migration: Migration, times: LockTimes): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await apply(connection, migration);
    } catch (error) {
      if (!(error instanceof DatabaseFailure) || error.code !== LOCK_NOT_AVAILABLE) {
        throw error;
      }
      if (tries >= times.lockTries) {
        throw new StartError(
          `the migration ${migration.name} could not have its locks, ${tries} times: end what works on the database for so long, and run it again`,
          { cause: error },
        );
      }
      await pause(times.lockPause);
    }
  }
}

/** Its waiting keeps nobody else waiting, so it may take its time. */
async function applyConcurrently(connection: Connection, { number, name, breaking, sql }: Migration): Promise<void> {
  await connection.script('SET lock_timeout = 0');
  try {
    for (const statement of statementsOf(sql)) {
      await connection.script(statement);
    }
    await connection.run(ADD, [number, name, breaking]);
  } finally {
    await connection.script('RESET lock_timeout');
  }
}

async function apply(connection: Connection, { number, name, breaking, sql }: Migration): Promise<void> {
  await connection.script('BEGIN');
  try {
    await connection.script(sql);
    await connection.run(ADD, [number, name, breaking]);
    await connection.script('COMMIT');
  } catch (error) {
    if (!connection.isLost) {
      await connection.script('ROLLBACK');
    }
    throw error;
  }
}
