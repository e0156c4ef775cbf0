/** Brings the schema up to date, each migration in one transaction. */
import { StartError } from '@fosp/runtime';

import { numberAt, textAt } from '../cells.ts';
import { type Migration, migrationsIn } from '../migrations.ts';
import type { Database } from './database.ts';

// Named from the folder above, so that it is found from a bundle too, in which this file and its twin are one.
const FOLDER = new URL('../sqlite/migrations/', import.meta.url);

/** The migrations that this program knows, in order. */
export function knownMigrations(): Migration[] {
  return migrationsIn(FOLDER);
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
