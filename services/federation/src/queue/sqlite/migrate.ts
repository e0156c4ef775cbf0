/** Brings the file up to date: numbered SQL, forward only, each in one transaction; an older program refuses a newer breaking one. */
import { readdirSync, readFileSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { StartError } from '@fosp/runtime';

/** Where the image has it too, beside the migrations of other files. */
const FOLDER = new URL('../sqlite/queue-migrations/', import.meta.url);
const FILE = /^(\d{3})-[a-z-]+\.sql$/;
/** No file is so busy that another one, begun later, would begin below its positions. */
const POSITIONS_PER_MILLISECOND = 1000;

export function migrate(database: DatabaseSync, path: string, now: number): void {
  database.exec(
    'CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, breaking INTEGER NOT NULL) STRICT',
  );
  const known = readdirSync(FOLDER).sort();
  const applied = database.prepare('SELECT name, breaking FROM migrations').all();
  const newer = applied.find(({ name, breaking }) => breaking === 1 && !known.includes(String(name)));
  if (newer !== undefined) {
    throw new StartError(
      `the data in ${path} were brought to a newer form (${newer['name']}) by a newer version of this program; run that one`,
    );
  }
  const names = new Set(applied.map(({ name }) => name));
  for (const file of known.filter((name) => !names.has(name))) {
    apply(database, file, now);
  }
}

function apply(database: DatabaseSync, file: string, now: number): void {
  const number = FILE.exec(file)?.[1];
  if (number === undefined) {
    throw new Error(`${file} is no name of a migration such as 002-quotas.sql`);
  }
  const sql = readFileSync(new URL(file, FOLDER), 'utf8');
  database.exec('BEGIN IMMEDIATE');
  try {
    database.exec(sql);
    if (Number(number) === 1) {
      const first = now * POSITIONS_PER_MILLISECOND;
      database.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('notifications', ?)").run(first);
    }
    database
      .prepare('INSERT INTO migrations VALUES (?, ?, ?)')
      .run(Number(number), file, sql.startsWith('-- breaking') ? 1 : 0);
    database.exec('COMMIT');
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}
