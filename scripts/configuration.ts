/** `pnpm configuration`: the tables of `docs/configuration.md`, from what each process declares that it reads. */
import { SETTINGS } from '../packages/cli/src/settings.ts';
import { type DescribedVariable, describeVariables, PROCESS_VARIABLES } from '../packages/runtime/src/index.ts';
import { MIGRATE_VARIABLES } from '../services/objects/src/index.ts';
import { STANDALONE_VARIABLES } from '../services/standalone/src/index.ts';
import { code, finish, table } from './document.ts';

/** By what reads them. */
const DECLARED = { 'every process': PROCESS_VARIABLES, ...STANDALONE_VARIABLES, migrate: MIGRATE_VARIABLES };

const HEAD = ['variable', 'default', 'allowed', 'meaning'];

function row({ name, fallback, allowed, meaning, required, secret }: DescribedVariable): string[] {
  const value = required ? 'must be set' : fallback === undefined || fallback === '' ? '–' : code(fallback);
  return [code(name), value, secret ? `${allowed}; a secret` : allowed, meaning];
}

function readBy({ name }: DescribedVariable): string {
  const readers = Object.entries(DECLARED).filter(([, variables]) =>
    describeVariables(variables).some((variable) => variable.name === name),
  );
  const names = readers.map(([reader]) => reader);
  return names.includes('every process') ? 'every process' : names.join(', ');
}

const server = describeVariables(DECLARED).map((variable) => [...row(variable), readBy(variable)]);
const commandLine = describeVariables(SETTINGS).map(row);

finish({
  path: 'docs/configuration.md',
  tables: {
    server: table([...HEAD, 'read by'], server),
    'command line': table(HEAD, commandLine),
  },
  command: 'npx -y pnpm@12 configuration',
});
