/** Two versions of all programs, each in one folder as the image has it: that of a commit, and that of this checkout. */
import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const MIGRATIONS = 'postgres/migrations';

/** What a later version may do to a database that the earlier one works on: more columns, and an index built meanwhile. */
const TRIALS = {
  '900-trial-columns.sql': `ALTER TABLE objects ADD COLUMN trial text;
ALTER TABLE accounts ADD COLUMN trial text;
ALTER TABLE outbox ADD COLUMN trial text;
`,
  '901-trial-index.sql': `-- concurrent: objects are written meanwhile
DROP INDEX CONCURRENTLY IF EXISTS objects_trial;
CREATE INDEX CONCURRENTLY objects_trial ON objects (trial);
`,
};

export interface Release {
  /** Its program, to which the name of a service is given. */
  readonly program: string;
  readonly folder: string;
}

/** Says in words why there is no such commit here. */
export class MissingHistory extends Error {}

/** The commit that a name stands for. @throws MissingHistory */
export async function commitOf(ref: string): Promise<string> {
  try {
    const { stdout } = await execute('git', ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`], { cwd: ROOT });
    return stdout.trim();
  } catch (error) {
    throw new MissingHistory(
      `There is no ${ref} in this clone, to upgrade from. A shallow one gets it by "git fetch --unshallow".`,
      { cause: error },
    );
  }
}

/** Of a commit, with what was installed for it. */
export async function releaseOfCommit(commit: string, directory: string): Promise<Release> {
  const source = join(directory, 'source');
  await mkdir(source, { recursive: true });
  const archive = join(directory, 'source.tar');
  await execute('git', ['archive', '--output', archive, commit], { cwd: ROOT });
  await execute('tar', ['-xf', archive, '-C', source]);
  const install = ['-y', 'pnpm@12', 'install', '--frozen-lockfile', '--trust-lockfile', '--prefer-offline'];
  await execute('npx', [...install, '--prod', '--filter', '@fosp/image...'], { cwd: source });
  return await bundle(source, join(directory, 'release'));
}

export function releaseOfCheckout(directory: string): Promise<Release> {
  return bundle(ROOT, directory);
}

/** The same, with migrations that it does not have. */
export async function withTrialMigrations({ folder }: Release, target: string): Promise<Release> {
  await cp(folder, target, { recursive: true });
  for (const [file, sql] of Object.entries(TRIALS)) {
    await writeFile(join(target, MIGRATIONS, file), sql);
  }
  return { program: join(target, 'lib/main.mjs'), folder: target };
}

/** The names of breaking migrations that only the later one knows: on these the earlier one refuses to run. */
export async function breakingBetween(earlier: Release, later: Release): Promise<string[]> {
  const known = new Set(await readdir(join(earlier.folder, MIGRATIONS)));
  const added = (await readdir(join(later.folder, MIGRATIONS))).filter((file) => !known.has(file));
  const texts = await Promise.all(added.map((file) => readFile(join(later.folder, MIGRATIONS, file), 'utf8')));
  return added.filter((_, at) => texts[at]?.startsWith('-- breaking'));
}

/** By this checkout's script, also for those that had none. */
async function bundle(source: string, folder: string): Promise<Release> {
  await execute(join(ROOT, 'deploy/bundle'), [folder], { cwd: source });
  return { program: join(folder, 'lib/main.mjs'), folder };
}
