/** Migrations of a database that services work on meanwhile. */
import { postgresInstalled } from '@fosp/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Migration, statementsOf } from '../src/store/migrations.ts';
import { Connection } from '../src/store/postgres/connection.ts';
import { knownMigrations, type MigrateOptions, migratePostgres } from '../src/store/postgres/migrate.ts';
import { postgresForTests } from './postgres.ts';

const INDEX = `-- concurrent: rows are written meanwhile
-- Left invalid where it was cut off.
DROP INDEX CONCURRENTLY IF EXISTS trees_sequence;
CREATE INDEX CONCURRENTLY trees_sequence
  ON trees (sequence);
`;
const INSERT = "INSERT INTO trees (tree, sequence) VALUES ('$', 0)";

/** Statements that keep writers waiting for as long as an index of a table that was there before is built, or is in use. */
function heldUp({ sql }: Migration): string[] {
  const statements = statementsOf(sql);
  const made = statements.map((statement) => /^CREATE TABLE (?:IF NOT EXISTS )?(\w+)/i.exec(statement)?.[1]);
  return statements.filter((statement) => {
    const isOfIndex = /^(CREATE (UNIQUE )?INDEX|DROP INDEX|REINDEX)\b(?!.*\bCONCURRENTLY\b)/is.test(statement);
    const table = / ON (?:ONLY )?(\w+)/i.exec(statement)?.[1];
    return isOfIndex && (table === undefined || !made.includes(table));
  });
}

function later(sql: string): Migration {
  return { number: 999, name: 'later', breaking: false, concurrent: sql.startsWith('-- concurrent'), sql };
}

async function sessionOn(url: string): Promise<Connection> {
  const session = await Connection.open({
    ...{ url, application: 'test', connectTimeout: 60_000, patience: 600_000 },
    ...{ statementTimeout: 0, lockTimeout: 0 },
  });
  onTestFinished(() => session.close());
  return session;
}

describe('a concurrent migration', () => {
  it('is cut into its statements, comments left out', () => {
    expect(statementsOf(INDEX)).toEqual([
      'DROP INDEX CONCURRENTLY IF EXISTS trees_sequence',
      'CREATE INDEX CONCURRENTLY trees_sequence\n  ON trees (sequence)',
    ]);
  });
});

describe('migrations after the first', () => {
  it('are known by what would keep writers waiting', () => {
    const holding = ['CREATE UNIQUE INDEX a ON trees (sequence)', 'DROP INDEX a', 'REINDEX TABLE trees'];
    const harmless = ['CREATE TABLE made (id integer)', 'CREATE INDEX b\n  ON made (id)', 'DROP INDEX CONCURRENTLY a'];
    expect(heldUp(later([...harmless, ...holding].map((statement) => `${statement};\n`).join('')))).toEqual(holding);
  });

  it.each(knownMigrations().slice(1))('$number $name builds and drops indexes concurrently', (migration) => {
    expect(heldUp(migration)).toEqual([]);
    expect(migration.concurrent).toBe(/\bCONCURRENTLY\b/.test(migration.sql));
  });
});

describe.skipIf(!postgresInstalled())('migrations of PostgreSQL under load', () => {
  const postgres = postgresForTests();

  /** A migrated database, with a session of somebody who works on it. */
  async function prepared() {
    const url = await postgres.server.database();
    await migratePostgres(url);
    const session = await sessionOn(url);
    const migrate = (sql: string, options: MigrateOptions = {}) =>
      migratePostgres(url, { ...options, migrations: [...knownMigrations(), later(sql)] });
    const sql = (text: string) => postgres.server.sql(text, url);
    return { session, migrate, sql };
  }

  it('let those pass who come while they wait for a lock, and get it in the end', async () => {
    const { session, migrate, sql } = await prepared();
    await session.script('BEGIN');
    await session.script(INSERT.replace('$', 'long'));
    const migrated = migrate('ALTER TABLE trees ADD COLUMN later text', { lockTimeout: 200, lockPause: 200 });
    const waiting =
      "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'fosp-objects migrate' AND wait_event_type = 'Lock'";
    await expect.poll(() => sql(waiting), { timeout: 60_000, interval: 10 }).toEqual(['1']);
    // Behind whoever waits for the lock, this would wait for the end of the session's transaction.
    await sql(INSERT.replace('$', 'short'));
    await session.script('COMMIT');
    expect(await migrated).toEqual(['later']);
    expect(await sql('SELECT tree, later FROM trees ORDER BY tree')).toEqual(['long|', 'short|']);
  });

  it('give up a lock that is not to be had, in words, and leave nothing of themselves', async () => {
    const { session, migrate, sql } = await prepared();
    await session.script('BEGIN');
    await session.script(INSERT.replace('$', 'long'));
    const times = { lockTimeout: 20, lockPause: 20, lockTries: 3 };
    const altering = 'CREATE TABLE half (id integer); ALTER TABLE trees ADD COLUMN later text';
    await expect(migrate(altering, times)).rejects.toThrow(
      /migration later could not have its locks, 3 times: end what/,
    );
    await session.script('COMMIT');
    expect(await sql("SELECT count(*) FROM pg_tables WHERE tablename = 'half'")).toEqual(['0']);
    expect(await migrate(altering)).toEqual(['later']);
  });

  it('build an index while rows are written, by however many processes at once', async () => {
    const { session, migrate, sql } = await prepared();
    await session.script('BEGIN');
    await session.script(INSERT.replace('$', 'long'));
    const migrated = Promise.all([migrate(INDEX), migrate(INDEX), migrate(INDEX)]);
    const building = 'SELECT count(*) FROM pg_stat_progress_create_index';
    await expect.poll(() => sql(building), { timeout: 60_000, interval: 10 }).toEqual(['1']);
    await sql(INSERT.replace('$', 'short'));
    await session.script('COMMIT');
    expect((await migrated).flat()).toEqual(['later']);
    const valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'trees_sequence'::regclass";
    expect(await sql(valid)).toEqual(['t']);
  });

  it('that are known leave those who write objects and files alone', async () => {
    const url = await postgres.server.database();
    const sql = (text: string) => postgres.server.sql(text, url);
    await migratePostgres(url, { migrations: knownMigrations().slice(0, 1) });
    const session = await sessionOn(url);
    const insert = (tree: string) =>
      `INSERT INTO objects VALUES ('${tree}', '', NULL, '', 'a', '', '', 1, 1, 0);
       INSERT INTO files VALUES ('${tree}', 'key', 'live', 0, '', 1)`;
    await session.script('BEGIN');
    await session.script(insert('long'));
    const migrated = migratePostgres(url);
    const building = 'SELECT count(*) FROM pg_stat_progress_create_index';
    await expect.poll(() => sql(building), { timeout: 60_000, interval: 10 }).toEqual(['1']);
    await sql(insert('short'));
    await session.script('COMMIT');
    expect(await migrated).toEqual(
      knownMigrations()
        .slice(1)
        .map(({ name }) => name),
    );
    const indexes = `SELECT indexrelid::regclass, indisvalid FROM pg_index
      WHERE indrelid IN ('objects'::regclass, 'files'::regclass) ORDER BY indexrelid::regclass::text`;
    expect(await sql(indexes)).toEqual([
      'files_keys|t',
      'files_pkey|t',
      'files_to_sweep|t',
      'objects_children|t',
      'objects_pkey|t',
    ]);
  });

  it('tell again and again that they wait for another process, and for which', async () => {
    const { session, migrate, sql } = await prepared();
    await session.script(`SELECT pg_advisory_lock(${0x46_4f_53_50})`);
    const told: string[] = [];
    const onWait = (what: string) => told.push(what);
    const migrated = migrate('CREATE TABLE later (id integer)', { onWait, turnPause: 10, tellPause: 20 });
    await expect.poll(() => told.length, { timeout: 60_000 }).toBeGreaterThan(1);
    const [process] = await sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'test'");
    expect(told[0]).toContain(`process ${process}, test, from 127.0.0.1, since 2`);
    await session.script('SELECT pg_advisory_unlock_all()');
    expect(await migrated).toEqual(['later']);
  });

  it('that are concurrent and end halfway are run again from their beginning', async () => {
    const { migrate, sql } = await prepared();
    await expect(migrate(`${INDEX}SELECT 1 / 0;\n`)).rejects.toThrow('division');
    expect(await sql("SELECT count(*) FROM migrations WHERE name = 'later'")).toEqual(['0']);
    expect(await migrate(INDEX)).toEqual(['later']);
  });
});
