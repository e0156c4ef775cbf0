/** Applies each mutant to a copy of the sources, and has `check.ts` judge it in a process of its own. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Mutant } from './mutants.ts';

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));

/** How many processes run at once. */
const PROCESSES = 2;
/** Milliseconds after which a mutant counts as caught: the sources themselves take a second or two. */
const TIME_LIMIT = 30_000;

export interface Verdict {
  readonly mutant: Mutant;
  /** What noticed it; `undefined` where nothing did. */
  readonly caughtBy: string | undefined;
}

/**
 * @param report is told of each verdict as it comes
 * @throws where the sources pass no check themselves, or a mutant no longer fits them
 */
export async function runMutants(mutants: readonly Mutant[], report: (verdict: Verdict) => void): Promise<Verdict[]> {
  const alone = await inCopy(() => Promise.resolve());
  if (alone !== undefined) {
    throw new Error(`without any mutant, caught by ${alone}`);
  }
  const waiting = [...mutants];
  const verdicts: Verdict[] = [];
  async function work(): Promise<void> {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const { file, find, replace } = mutant;
      const caughtBy = await inCopy((folder) => replaceOnce(join(folder, 'src', file), find, replace));
      verdicts.push({ mutant, caughtBy });
      report({ mutant, caughtBy });
    }
  }
  await Promise.all(Array.from({ length: PROCESSES }, work));
  return verdicts;
}

/** Checks a changed copy of the package; what noticed the change, if anything did. */
async function inCopy(change: (folder: string) => Promise<void>): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'fosp-mutant-'));
  try {
    for (const name of ['src', 'test', 'fixtures', 'package.json']) {
      await cp(join(PACKAGE, name), join(folder, name), { recursive: true });
    }
    await symlink(join(PACKAGE, 'node_modules'), join(folder, 'node_modules'));
    await change(folder);
    return await check(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function replaceOnce(file: string, find: string, replace: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  const parts = text.split(find);
  if (parts.length !== 2) {
    throw new Error(`${file} holds ${JSON.stringify(find)} ${parts.length - 1} times; a mutant must fit exactly once`);
  }
  await writeFile(file, parts.join(replace));
}

function check(folder: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const script = join(folder, 'test/mutants/check.ts');
    execFile(process.execPath, [script], { timeout: TIME_LIMIT }, (error, output) => {
      resolve(error === null ? undefined : output || (error.killed ? 'the time limit' : 'its start'));
    });
  });
}
