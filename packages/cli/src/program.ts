/** The command line: every command, its arguments and options. What each does is in `commands/`. */
import { Command, CommanderError, Option } from 'commander';
import { changePassword, login, logout, register, whoami } from './commands/accounts.ts';
import { type AccountAction, type AdminOptions, adminUser } from './commands/admin.ts';
import { read, type WriteOptions, write } from './commands/files.ts';
import { create, edit, get, list, patch, remove } from './commands/objects.ts';
import { type ShareOptions, share, unshare } from './commands/share.ts';
import { exportCommand, importCommand } from './commands/transfer.ts';
import { type WatchOptions, watch } from './commands/watch.ts';
import { type Context, createContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { createOutput, reportFailure } from './output.ts';
import { readSettings } from './settings.ts';

/** What a command does: with an exit code of its own, or none for a plain success. */
type Act = ((context: Context) => Promise<number>) | ((context: Context) => Promise<void>);

/** Runs one command line; gives the exit code. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.done;
  const program = new Command('fosp');
  const run = async (act: Act): Promise<void> => {
    const { json = false, url } = program.opts<{ json?: boolean; url?: string }>();
    try {
      const context = await createContext(readSettings(), createOutput(json), url);
      const code = await act(context);
      exitCode = typeof code === 'number' ? code : EXIT.done;
    } catch (error) {
      exitCode = reportFailure(error, json);
    }
  };
  program
    .description(
      'Works with objects and files at a FOSP server. A RESOURCE is user@domain/path, as in alice@localhost/social/me.',
    )
    .option(
      '--url <url>',
      'the server: ws://host:1337 or wss://host:1338 (or FOSP_URL; default: where you logged in last)',
    )
    .option('--json', 'print results and failures as JSON')
    .exitOverride()
    .showHelpAfterError('(fosp --help lists the commands)')
    .addHelpText('after', `\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 done but for what was skipped.`);
  addAccountCommands(program, run);
  addObjectCommands(program, run);
  addFileCommands(program, run);
  addSharingCommands(program, run);
  addAdminCommands(program, run);
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      throw error;
    }
    exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
  return exitCode;
}

type Run = (act: Act) => Promise<void>;

function addAccountCommands(program: Command, run: Run): void {
  program
    .command('register <name>')
    .description('create an account and log in')
    .action((name: string) => run((context) => register(context, name)));
  program
    .command('login <name>')
    .description('log in, and stay so on this machine')
    .action((name: string) => run((context) => login(context, name)));
  program
    .command('logout')
    .description('forget the login on this machine')
    .action(() => run(logout));
  program
    .command('whoami')
    .description('who is logged in, and where')
    .action(() => run(whoami));
  program
    .command('passwd')
    .description('change your password')
    .action(() => run(changePassword));
}

function addObjectCommands(program: Command, run: Run): void {
  program
    .command('ls <resource>')
    .description('names of the children')
    .action((resource: string) => run((context) => list(context, resource)));
  program
    .command('get <resource>')
    .description('print an object')
    .action((resource: string) => run((context) => get(context, resource)));
  program
    .command('create <resource> [json]')
    .description('create an object; JSON, @FILE or - for standard input')
    .action((resource: string, json: string | undefined) => run((context) => create(context, resource, json)));
  program
    .command('edit <resource>')
    .description('change an object in your editor (VISUAL or EDITOR)')
    .action((resource: string) => run((context) => edit(context, resource)));
  program
    .command('patch <resource> <json>')
    .description('merge changes into an object; JSON, @FILE or -; null removes')
    .action((resource: string, json: string) => run((context) => patch(context, resource, json)));
  program
    .command('rm <resource>')
    .description('delete an object with all below it')
    .action((resource: string) => run((context) => remove(context, resource)));
}

function addFileCommands(program: Command, run: Run): void {
  program
    .command('read <resource> [file]')
    .description("fetch an object's file, to FILE or standard output")
    .action((resource: string, file: string | undefined) => run((context) => read(context, resource, file)));
  program
    .command('write <resource> [file]')
    .description("store FILE or standard input as an object's file")
    .option('--type <mime-type>', 'its MIME type (default: by its name)')
    .option('--name <name>', 'its name (default: that of FILE)')
    .action((resource: string, file: string | undefined, options: WriteOptions) =>
      run((context) => write(context, resource, file, options)),
    );
  program
    .command('import <dir> <resource>')
    .description('store a folder: folders become objects, files their attachments; run again to continue')
    .action((folder: string, resource: string) => run((context) => importCommand(context, folder, resource)));
  program
    .command('export <resource> <dir>')
    .description('write a tree into a folder; run again to continue')
    .action((resource: string, folder: string) => run((context) => exportCommand(context, resource, folder)));
}

function addSharingCommands(program: Command, run: Run): void {
  program
    .command('share <resource> <user>')
    .description('give someone rights on an object and all below it')
    .addOption(new Option('--rights <rights>', 'what they may do').choices(['read', 'write', 'manage']).default('read'))
    .option('--no-watch', 'do not let them subscribe to changes')
    .action((resource: string, user: string, options: ShareOptions) =>
      run((context) => share(context, resource, user, options)),
    );
  program
    .command('unshare <resource> <user>')
    .description('take back what share gave there')
    .action((resource: string, user: string) => run((context) => unshare(context, resource, user)));
  program
    .command('watch <resource>')
    .description('print changes as they happen')
    .option('--depth <levels>', 'levels below the object; -1 for all', Number, -1)
    .option('--keep', 'leave the subscription in place at the end', false)
    .action((resource: string, options: WatchOptions) => run((context) => watch(context, resource, options)));
}

function addAdminCommands(program: Command, run: Run): void {
  const user = program
    .command('admin')
    .description('for operators, through the admin port')
    .command('user')
    .description('accounts');
  const actions: readonly [AccountAction, string][] = [
    ['add', 'create an account'],
    ['passwd', 'set a password'],
    ['disable', 'refuse logins and end all sessions'],
    ['enable', 'allow logins again'],
    ['rm', 'remove an account with its tree and files'],
  ];
  for (const [action, description] of actions) {
    user
      .command(`${action} <name>`)
      .description(description)
      .option('--admin-url <url>', 'the admin port', 'http://127.0.0.1:9090')
      .option('--data-dir <dir>', 'data folder of a standalone server on this machine, for its token', './data')
      .action((name: string, options: AdminOptions) => run((context) => adminUser(context, action, name, options)));
  }
}
