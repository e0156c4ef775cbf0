/** `fosp-objects migrate`: brings the database to the form that this version needs, and ends. */
import { EnvironmentError, processEnvironment, readEnvironment, StartError } from '@fosp/runtime';
import { MIGRATE_VARIABLES, POSTGRES_VARIABLE } from './config.ts';
import { migratePostgres } from './store/postgres/migrate.ts';

try {
  const environment = processEnvironment();
  const own = readEnvironment(environment, MIGRATE_VARIABLES).postgres;
  const url = own ?? readEnvironment(environment, { postgres: POSTGRES_VARIABLE }).postgres;
  const variable = own === undefined ? POSTGRES_VARIABLE.name : MIGRATE_VARIABLES.postgres.name;
  const onWait = (what: string) => process.stderr.write(`${what}\n`);
  const applied = await migratePostgres(url.reveal(), { variable, onWait });
  process.stdout.write(applied.length === 0 ? 'Nothing to migrate.\n' : `Migrated: ${applied.join(', ')}.\n`);
} catch (error) {
  if (!(error instanceof StartError || error instanceof EnvironmentError)) {
    throw error;
  }
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
