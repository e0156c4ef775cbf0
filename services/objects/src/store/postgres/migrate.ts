/**
 * Brings the schema up to date, and checks at start that it is. A program refuses a schema that lacks migrations it knows, or
 * that has breaking ones it does not know.
 */
import { StartError } from '@fosp/runtime';
import { numberAt, textAt } from '../cells.ts';
import { type Migration, migrationsIn } from '../migrations.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { DatabaseFailure } from './failures.ts';

// Named from the folder above, so that it is found from a bundle too, in which this file and its twin are one.
const FOLDER = new URL('../postgres/migrations/', import.meta.url);

/** Held while one process migrates: any number that is ours. */
const LOCK = 0x46_4f_53_50;

const UNDEFINED_TABLE = '42P01';

const APPLIED = { name: 'applied', text: 'SELECT number, name, breaking FROM migrations ORDER BY number' };
const ADD = {
  name: 'addMigration',
  text: 'INSERT INTO migrations (number, name, breaking, applied) VALUES ($1, $2, $3, now())',
};

/** No bound on how long a migration takes, or waits for another process that migrates. */
const UNBOUNDED = { statementTimeout: 0, lockTimeout: 0, patience: 0x7f_ff_ff_ff };

export interface MigrateOptions {
  readonly migrations?: readonly Migration[];
  /** Milliseconds; 10,000. */
  readonly connectTimeout?: number;
}

/** The migrations that this program knows, in order. */
export function knownMigrations(): Migration[] {
  return migrationsIn(FOLDER);
}

/**
 * Applies what is missing, each migration in one transaction, while no other process does. Returns the names of those.
 * @throws StartError where the database cannot be reached, or its schema is of a newer program and breaks with this one
 */
export async function migratePostgres(url: string, options: MigrateOptions = {}): Promise<string[]> {
  const { migrations = knownMigrations(), connectTimeout = 10_000 } = options;
  const connection = await connect({ url, application: 'fosp-objects migrate', connectTimeout, ...UNBOUNDED });
  try {
    await connection.script(`SELECT pg_advisory_lock(${LOCK})`);
    await connection.script(`CREATE TABLE IF NOT EXISTS migrations (
      number integer PRIMARY KEY, name text NOT NULL, breaking boolean NOT NULL, applied timestamptz NOT NULL)`);
    const missing = await missingOf(connection, migrations);
    for (const migration of missing) {
      await apply(connection, migration);
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
export async function connect(options: ConnectionOptions): Promise<Connection> {
  try {
    return await Connection.open(options);
  } catch (error) {
    const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message || error.message : '';
    throw new StartError(`cannot reach the database of the objects service (${reason}); check FOSP_POSTGRES_URL`, {
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
