/** `fosp-objects migrate`: brings the database to the form that this version needs, and ends. */
import { EnvironmentError, processEnvironment, REQUIRED, readEnvironment, StartError, secretUrl } from '@fosp/runtime';
import { migratePostgres } from './store/postgres/migrate.ts';

const VARIABLES = {
  postgres: secretUrl('FOSP_POSTGRES_URL', REQUIRED, 'database of the objects service', {
    protocols: ['postgres', 'postgresql'],
  }),
};

try {
  const { postgres } = readEnvironment(processEnvironment(), VARIABLES);
  const applied = await migratePostgres(postgres.reveal());
  process.stdout.write(applied.length === 0 ? 'Nothing to migrate.\n' : `Migrated: ${applied.join(', ')}.\n`);
} catch (error) {
  if (!(error instanceof StartError || error instanceof EnvironmentError)) {
    throw error;
  }
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
