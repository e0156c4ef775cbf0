/**
 * The numbered files of SQL that a store's schema is made of, forward only. A file whose first line begins with
 * `-- breaking` changes what older programs rely on: they refuse to run on a schema that has it. Any other newer migration
 * they ignore, so that two versions may run side by side. One whose first line begins with `-- concurrent` is for a database
 * that cannot be stopped: its statements, each of which ends with its line, run one by one and outside of a transaction, so
 * that an index can be built while rows are written. It may end halfway, and is then run again from its beginning.
 */
import { readdirSync, readFileSync } from 'node:fs';

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly breaking: boolean;
  readonly concurrent: boolean;
  readonly sql: string;
}

const FILE = /^(\d{3})-([a-z-]+)\.sql$/;

/** The migrations in a folder, in order. */
export function migrationsIn(folder: URL): Migration[] {
  return readdirSync(folder)
    .sort()
    .map((file) => {
      const [, number, name] = FILE.exec(file) ?? [];
      if (number === undefined || name === undefined) {
        throw new Error(`${file} is no name of a migration such as 002-quotas.sql`);
      }
      const sql = readFileSync(new URL(file, folder), 'utf8');
      return { number: Number(number), name, ...marksOf(sql), sql };
    });
}

function marksOf(sql: string): Pick<Migration, 'breaking' | 'concurrent'> {
  return { breaking: sql.startsWith('-- breaking'), concurrent: sql.startsWith('-- concurrent') };
}

/** The statements of a concurrent migration. */
export function statementsOf(sql: string): string[] {
  return sql
    .replace(/^\s*--.*$/gm, '')
    .split(/;[^\S\n]*(?:\n|$)/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}
