/** The command line: what is common to all commands. Each command's own arguments and options are in `command-lines.ts`. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { addCommands } from './command-lines.ts';
import { type Context, createContext } from './context.ts';
import { CommandError, EXIT } from './exit-codes.ts';
import { createOutput, reportFailure } from './output.ts';
import { readSettings } from './settings.ts';

const EXAMPLES = `
Begin with:
  fosp register alice                                   an account at ws://localhost:1337
  fosp create alice@localhost/notes '{"data":"tea"}'    an object
  fosp write alice@localhost/notes picture.png          its file
  fosp share alice@localhost/notes bob@localhost        for bob to read and watch
  fosp watch alice@localhost/                           what changes, as it happens

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but for what was skipped.
FOSP_USER with FOSP_PASSWORD work without a login; FOSP_URL names the server.`;

/** What a command does: with an exit code of its own, or none for a plain success. */
export type Act = ((context: Context) => Promise<number>) | ((context: Context) => Promise<void>);

/** Runs one command line; gives the exit code. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.done;
  // Known before the rest is parsed: mistakes in the rest are to be told in JSON too.
  const json = argv.includes('--json');
  // From here on, as help is printed by the parser: that nobody reads on is no failure.
  const output = createOutput(json);
  const program = new Command('fosp');
  const run = async (act: Act): Promise<void> => {
    const { url } = program.opts<{ url?: string }>();
    const code = await act(await createContext(readSettings(), output, url));
    await output.written();
    exitCode = typeof code === 'number' ? code : EXIT.done;
  };
  program
    .description(
      'Works with objects and files at a FOSP server. A RESOURCE is user@domain/path: alice@localhost/notes.',
    )
    .option('--url <url>', 'the server, ws://host:1337 or wss://host:1338 (default: where you logged in last)')
    .option('--json', 'print results and failures as JSON, one value a line')
    .version(version(), '--version', 'print the version')
    .helpOption('-h, --help', 'print help, also of each command: fosp share --help')
    .configureOutput({ outputError: (text, write) => (json ? undefined : write(text.replace(/^error: /, 'fosp: '))) })
    .exitOverride()
    .showHelpAfterError(json ? false : '(fosp --help lists the commands)')
    .addHelpText('after', EXAMPLES);
  addCommands(program, run);
  try {
    await program.parseAsync([...argv]);
    return exitCode;
  } catch (error) {
    return failed(error, json);
  }
}

/** Help that was asked for, and the version, end the parser as mistakes do. What is wrong was printed, but in JSON. */
function failed(error: unknown, json: boolean): number {
  if (!(error instanceof CommanderError)) {
    return reportFailure(error, json);
  }
  if (error.exitCode !== 0 && json) {
    reportFailure(new CommandError(error.message.replace(/^error: /, '')), json);
  }
  return error.exitCode === 0 ? EXIT.done : EXIT.usage;
}

function version(): string {
  const manifest: { readonly version: string } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  );
  return manifest.version;
}
