/** `pnpm chaos`: a cluster under load whose pods are killed and whose servers go away; what came of it, counted. */
import { type ChaosArguments, chaosArguments, HELP } from './arguments.ts';

/** The exit code where the arguments make no sense. */
const USAGE = 2;

function asked(): ChaosArguments | undefined {
  try {
    return chaosArguments(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\nSee pnpm chaos --help.\n`);
    return undefined;
  }
}

const wanted = asked();
if (wanted === undefined) {
  process.exitCode = USAGE;
} else if (wanted.isHelp) {
  process.stdout.write(HELP);
} else {
  // Only now all that it takes is loaded.
  const { runAsAsked } = await import('./as-asked.ts');
  process.exitCode = await runAsAsked(wanted);
}
