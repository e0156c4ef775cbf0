import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { postgresInstalled } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import type { Migration } from '../src/store/migrations.ts';
import { knownMigrations, migratePostgres } from '../src/store/postgres/migrate.ts';
import { openPostgresStore } from '../src/store/postgres/postgres.ts';
import { postgresForTests } from './postgres.ts';

const execute = promisify(execFile);
const PROGRAM = fileURLToPath(new URL('../src/migrate.ts', import.meta.url));

function later(breaking: boolean, sql = 'CREATE TABLE later (id integer)'): Migration {
  return { number: 999, name: 'later', breaking, concurrent: false, sql };
}

describe.skipIf(!postgresInstalled())('migrations of PostgreSQL', () => {
  const postgres = postgresForTests();

  it('are applied once, by however many processes at once', async () => {
    const known = knownMigrations();
    const url = await postgres.server.database();
    const run = () => execute(process.execPath, [PROGRAM], { env: { FOSP_POSTGRES_URL: url } });
    const outputs = await Promise.all([run(), run(), run()]);
    expect(outputs.map(({ stdout }) => stdout).sort()).toEqual([
      `Migrated: ${known.map(({ name }) => name).join(', ')}.\n`,
      'Nothing to migrate.\n',
      'Nothing to migrate.\n',
    ]);
    expect(await postgres.server.sql('SELECT number, name, breaking FROM migrations', url)).toEqual(
      known.map(({ number, name, breaking }) => `${number}|${name}|${breaking ? 't' : 'f'}`),
    );
  });

  it('go to the database by a way of their own, where one is set', async () => {
    const url = await postgres.server.database();
    const pooler = 'postgres://postgres@127.0.0.1:1/postgres';
    const run = (env: Record<string, string>) => execute(process.execPath, [PROGRAM], { env });
    const { stdout } = await run({ FOSP_POSTGRES_URL: pooler, FOSP_MIGRATION_POSTGRES_URL: url });
    expect(stdout).toContain('Migrated: objects');
    await expect(run({ FOSP_POSTGRES_URL: url, FOSP_MIGRATION_POSTGRES_URL: pooler })).rejects.toMatchObject({
      stderr: expect.stringContaining('check FOSP_MIGRATION_POSTGRES_URL'),
    });
    await expect(run({})).rejects.toMatchObject({ stderr: expect.stringContaining('FOSP_POSTGRES_URL: is not set') });
  });

  it('that are missing keep the service from starting, and the error says what to do', async () => {
    const url = await postgres.server.database();
    await expect(openPostgresStore({ url })).rejects.toThrow(/lacks the migration objects; run "fosp-objects migrate"/);
    await migratePostgres(url);
    const migrations = [...knownMigrations(), later(false)];
    await expect(openPostgresStore({ url, migrations })).rejects.toThrow(/lacks the migration later/);
  });

  it('of a newer program are refused where they are breaking, and ignored where they are not', async () => {
    const [breaking, harmless] = [await postgres.server.database(), await postgres.server.database()];
    await migratePostgres(breaking, { migrations: [...knownMigrations(), later(true)] });
    await migratePostgres(harmless, { migrations: [...knownMigrations(), later(false)] });
    await expect(openPostgresStore({ url: breaking })).rejects.toThrow(/newer form \(later\)/);
    await expect(migratePostgres(breaking)).rejects.toThrow(/newer form \(later\)/);
    const store = await openPostgresStore({ url: harmless });
    await store.close();
    expect(await migratePostgres(harmless)).toEqual([]);
  });

  it('that fail leave nothing of themselves', async () => {
    const url = await postgres.server.database();
    const broken = later(false, 'CREATE TABLE half (id integer); SELECT 1 / 0');
    await expect(migratePostgres(url, { migrations: [...knownMigrations(), broken] })).rejects.toThrow('division');
    const tables = "SELECT count(*) FROM pg_tables WHERE tablename = 'half'";
    expect(await postgres.server.sql(tables, url)).toEqual(['0']);
    expect(await migratePostgres(url)).toEqual([]);
  });

  it('a database that cannot be reached, or loses what was acknowledged, is refused in words', async () => {
    const nowhere = 'postgres://postgres@127.0.0.1:1/postgres';
    await expect(openPostgresStore({ url: nowhere })).rejects.toThrow(/cannot reach the database.*FOSP_POSTGRES_URL/);
    const url = await postgres.server.database();
    await migratePostgres(url);
    await postgres.server.sql(`ALTER DATABASE ${new URL(url).pathname.slice(1)} SET synchronous_commit = off`);
    await expect(openPostgresStore({ url })).rejects.toThrow(/synchronous_commit is off/);
  });
});
