/**
 * Brings the schema up to date: numbered files of SQL, forward only, each in one transaction. A file whose first line begins
 * with `-- breaking` changes what older programs rely on: they refuse to run on a schema that has it. Any other newer
 * migration they ignore, so that two versions may take turns.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { StartError } from '@fosp/runtime';
import { type Database, numberAt, textAt } from './database.ts';

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly breaking: boolean;
  readonly sql: string;
}

const FOLDER = new URL('./migrations/', import.meta.url);
const FILE = /^(\d{3})-([a-z-]+)\.sql$/;

/** The migrations that this program knows, in order. */
export function knownMigrations(folder: URL = FOLDER): Migration[] {
  return readdirSync(folder)
    .sort()
    .map((file) => {
      const [, number, name] = FILE.exec(file) ?? [];
      if (number === undefined || name === undefined) {
        throw new Error(`${file} is no name of a migration such as 002-quotas.sql`);
      }
      const sql = readFileSync(new URL(file, folder), 'utf8');
      return { number: Number(number), name, breaking: sql.startsWith('-- breaking'), sql };
    });
}

/** Throws where the schema is of a newer program and breaks with this one. */
export function migrate(database: Database, migrations: readonly Migration[], now: number): void {
  database.exec(`CREATE TABLE IF NOT EXISTS migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, breaking INTEGER NOT NULL, applied INTEGER NOT NULL
  ) STRICT`);
  const applied = database.prepare('SELECT number, name, breaking FROM migrations ORDER BY number').rows();
  const known = new Set(migrations.map(({ number }) => number));
  for (const row of applied) {
    if (numberAt(row, 2) === 1 && !known.has(numberAt(row, 0))) {
      throw new StartError(
        `the data in ${database.path} were brought to a newer form (${textAt(row, 1)}) by a newer version of this program; run that one`,
      );
    }
  }
  const numbers = new Set(applied.map((row) => numberAt(row, 0)));
  for (const migration of migrations.filter(({ number }) => !numbers.has(number))) {
    apply(database, migration, now);
  }
}

function apply(database: Database, { number, name, breaking, sql }: Migration, now: number): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    database.exec(sql);
    database.prepare('INSERT INTO migrations VALUES (?, ?, ?, ?)').run(number, name, breaking ? 1 : 0, now);
    database.exec('COMMIT');
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}
