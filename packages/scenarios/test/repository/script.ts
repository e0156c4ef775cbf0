import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Of the repository, with a slash at its end. */
export const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

export interface ScriptOutcome {
  readonly status: number | null;
  /** Lines of standard error. */
  readonly faults: readonly string[];
}

/** Runs a script of the repository as its commands do. */
export function runScript(name: string, ...args: readonly string[]): ScriptOutcome {
  const { status, stderr } = spawnSync(process.execPath, [`${ROOT}scripts/${name}.ts`, ...args], { encoding: 'utf8' });
  return { status, faults: stderr.split('\n').filter((line) => line !== '') };
}

export const CLEAN: ScriptOutcome = { status: 0, faults: [] };
