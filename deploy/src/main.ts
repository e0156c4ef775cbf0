/**
 * What the image runs: the program that its first argument names, each loaded only where it is asked for.
 *
 * As the first process of a container it gets no signal that it does not listen to; so one that the program itself does not
 * take, or not yet, ends it here.
 */
import { constants } from 'node:os';

const PROGRAMS: Readonly<Record<string, () => Promise<unknown>>> = {
  standalone: () => import('@fosp/standalone/main'),
  gateway: () => import('@fosp/gateway/main'),
  objects: () => import('@fosp/objects/main'),
  attachments: () => import('@fosp/attachments/main'),
  notifications: () => import('@fosp/notifications/main'),
  federation: () => import('@fosp/federation/main'),
  migrate: () => import('@fosp/objects/migrate'),
  fosp: () => import('@fosp/cli/main'),
  healthcheck: () => import('./healthcheck.ts'),
};

/** As of a command line that was wrong; the programs exit with 1 where they cannot start. */
const USAGE = 2;

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (process.listenerCount(signal) === 1) {
      process.exit(128 + constants.signals[signal]);
    }
  });
}

// What is left is the program's own command line.
const [name = ''] = process.argv.splice(2, 1);
const load = Object.hasOwn(PROGRAMS, name) ? PROGRAMS[name] : undefined;
if (load === undefined) {
  const problem = name === '' ? 'No program was named' : `There is no program ${JSON.stringify(name)}`;
  fail(`${problem}; there are ${Object.keys(PROGRAMS).join(', ')}`);
} else if (name !== 'fosp' && process.argv.length > 2) {
  fail(`${name} takes no arguments: its settings are environment variables`);
} else {
  await load();
}

function fail(problem: string): void {
  process.stderr.write(`${problem}\n`);
  process.exitCode = USAGE;
}
