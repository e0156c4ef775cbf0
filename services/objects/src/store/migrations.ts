/**
 * The numbered files of SQL that a store's schema is made of, forward only. A file whose first line begins with
 * `-- breaking` changes what older programs rely on: they refuse to run on a schema that has it. Any other newer migration
 * they ignore, so that two versions may run side by side.
 */
import { readdirSync, readFileSync } from 'node:fs';

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly breaking: boolean;
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
      return { number: Number(number), name, breaking: sql.startsWith('-- breaking'), sql };
    });
}
