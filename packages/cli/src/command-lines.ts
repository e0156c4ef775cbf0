/** Every command with its arguments and options. What each does is in `commands/`, loaded when it is called. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AdminOptions } from './admin-port.ts';
import type { AccountAction } from './commands/admin.ts';
import type { WriteOptions } from './commands/files.ts';
import type { ShareOptions, UnshareOptions } from './commands/share.ts';
import type { WatchOptions } from './commands/watch.ts';
import type { Act } from './program.ts';

type Run = (act: Act) => Promise<void>;

const accounts = () => import('./commands/accounts.ts');
const admin = () => import('./commands/admin.ts');
const peers = () => import('./commands/peers.ts');
const files = () => import('./commands/files.ts');
const objects = () => import('./commands/objects.ts');
const sharing = () => import('./commands/share.ts');
const transfer = () => import('./commands/transfer.ts');
const watching = () => import('./commands/watch.ts');

export function addCommands(program: Command, run: Run): void {
  addAccountCommands(program, run);
  addObjectCommands(program, run);
  addFileCommands(program, run);
  addSharingCommands(program, run);
  addAdminCommands(program, run);
}

function addAccountCommands(program: Command, run: Run): void {
  program
    .command('register <name>')
    .description('create an account and log in; asks for a password')
    .action((name: string) => run(async (context) => (await accounts()).register(context, name)));
  program
    .command('login <name>')
    .description('log in, and stay so on this machine; asks for the password')
    .action((name: string) => run(async (context) => (await accounts()).login(context, name)));
  program
    .command('logout')
    .description('forget the login on this machine')
    .action(() => run(async (context) => (await accounts()).logout(context)));
  program
    .command('whoami')
    .description('who is logged in, and where')
    .action(() => run(async (context) => (await accounts()).whoami(context)));
  program
    .command('passwd')
    .description('change your password; ends your sessions everywhere else')
    .action(() => run(async (context) => (await accounts()).changePassword(context)));
}

function addObjectCommands(program: Command, run: Run): void {
  program
    .command('ls <resource>')
    .description('names of the children, one a line')
    .action((resource: string) => run(async (context) => (await objects()).list(context, resource)));
  program
    .command('get <resource>')
    .description('print an object')
    .action((resource: string) => run(async (context) => (await objects()).get(context, resource)));
  program
    .command('create <resource> [json]')
    .description('create an object from JSON, @FILE, or - for standard input; an empty one without')
    .action((resource: string, json?: string) =>
      run(async (context) => (await objects()).create(context, resource, json)),
    );
  program
    .command('edit <resource>')
    .description('change an object in your editor (VISUAL or EDITOR)')
    .action((resource: string) => run(async (context) => (await objects()).edit(context, resource)));
  program
    .command('patch <resource> <json>')
    .description('merge changes into an object from JSON, @FILE, or -; null removes a member')
    .action((resource: string, json: string) =>
      run(async (context) => (await objects()).patch(context, resource, json)),
    );
  program
    .command('rm <resource>')
    .description('delete an object with all below it, files included')
    .action((resource: string) => run(async (context) => (await objects()).remove(context, resource)));
}

function addFileCommands(program: Command, run: Run): void {
  program
    .command('read <resource> [file]')
    .description("fetch an object's file, to FILE or standard output")
    .action((resource: string, file?: string) => run(async (context) => (await files()).read(context, resource, file)));
  program
    .command('write <resource> [file]')
    .description("store FILE or standard input as an existing object's file")
    .option('--type <mime-type>', 'its MIME type (default: by its name)')
    .option('--name <name>', 'its name (default: that of FILE)')
    .action((resource: string, file: string | undefined, options: WriteOptions) =>
      run(async (context) => (await files()).write(context, resource, file, options)),
    );
  program
    .command('import <dir> <resource>')
    .description('store a folder: folders become objects, files their attachments; interrupted, run it again')
    .action((folder: string, resource: string) =>
      run(async (context) => (await transfer()).importCommand(context, folder, resource)),
    );
  program
    .command('export <resource> <dir>')
    .description('write a tree into a folder, what was imported byte for byte; interrupted, run it again')
    .action((resource: string, folder: string) =>
      run(async (context) => (await transfer()).exportCommand(context, resource, folder)),
    );
}

const SHARE_HELP = `
read    see objects, files and what is below
write   also change, create and delete below
manage  also share with others
Sharing again replaces what was given on this object before. Who may watch also sees who else does.`;

const UNSHARE_HELP = `
What they were given on other objects, above or below, stays (but see --below), and so do objects that they created:
those are theirs. Their subscriptions below tell them nothing any more.`;

const WATCH_HELP = `
It is a subscription of yours on the object, put back as it was at the end. So of two watches on the same object the
one that ends first ends both.`;

function addSharingCommands(program: Command, run: Run): void {
  program
    .command('share <resource> <user>')
    .description('give somebody, as in bob@localhost, rights on an object and all below it')
    .addOption(new Option('--rights <rights>', 'what they may do').choices(['read', 'write', 'manage']).default('read'))
    .option('--no-watch', 'do not let them subscribe to changes')
    .addHelpText('after', SHARE_HELP)
    .action((resource: string, user: string, options: ShareOptions) =>
      run(async (context) => (await sharing()).share(context, resource, user, options)),
    );
  program
    .command('unshare <resource> <user>')
    .description('take back what share gave there')
    .option('--below', 'also what they were given, and subscribed to, on each object below', false)
    .addHelpText('after', UNSHARE_HELP)
    .action((resource: string, user: string, options: UnshareOptions) =>
      run(async (context) => (await sharing()).unshare(context, resource, user, options)),
    );
  program
    .command('watch <resource>')
    .description('print changes as they happen, until interrupted')
    .option('--depth <levels>', 'levels below the object; -1 for all', levelsOf, -1)
    .option('--keep', 'leave the subscription in place at the end', false)
    .addHelpText('after', WATCH_HELP)
    .action((resource: string, options: WatchOptions) =>
      run(async (context) => (await watching()).watch(context, resource, options)),
    );
}

function levelsOf(text: string): number {
  const levels = Number(text);
  if (!Number.isInteger(levels) || levels < -1) {
    throw new InvalidArgumentError('It is a whole number from -1.');
  }
  return levels;
}

const ACCOUNT_ACTIONS: readonly [AccountAction, string][] = [
  ['add', 'create an account; asks for a password'],
  ['passwd', 'set a password, and end all sessions'],
  ['disable', 'refuse logins, and end all sessions'],
  ['enable', 'allow logins again'],
  ['rm', 'remove an account with its tree and files'],
];

function addAdminCommands(program: Command, run: Run): void {
  const operators = program
    .command('admin')
    .description('for operators, through the admin port: fosp admin user --help, fosp admin peers --help');
  const user = operators.command('user').description('add, change and remove accounts');
  for (const [action, description] of ACCOUNT_ACTIONS) {
    atAdminPort(user.command(`${action} <name>`))
      .description(description)
      .action((name: string, options: AdminOptions) =>
        run(async (context) => (await admin()).adminUser(context, action, name, options)),
      );
  }
  const others = operators.command('peers').description('show and reach other domains');
  atAdminPort(others.command('list', { isDefault: true }))
    .description('links, what waits, and what went wrong last, by domain')
    .action((options: AdminOptions) => run(async (context) => (await peers()).adminPeers(context, options)));
  atAdminPort(others.command('retry <domain>'))
    .description('connect to a domain now, whatever was to be waited for')
    .action((domain: string, options: AdminOptions) =>
      run(async (context) => (await peers()).adminRetry(context, domain, options)),
    );
}

function atAdminPort(command: Command): Command {
  return command
    .option('--admin-url <url>', 'the admin port', 'http://127.0.0.1:9090')
    .option('--data-dir <dir>', 'data folder of a server on this machine: its token (or FOSP_ADMIN_TOKEN)', './data');
}
