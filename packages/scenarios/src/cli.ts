import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { PASSWORD } from '@fosp/testkit';

const MAIN = fileURLToPath(import.meta.resolve('@fosp/cli/main'));

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `fosp` as one person uses it: a process for each command, with a login file of their own. */
export class Cli {
  readonly #environment: Readonly<Record<string, string>>;

  constructor(url: string, sessionFile: string, more: Readonly<Record<string, string>> = {}) {
    this.#environment = {
      PATH: '/usr/bin:/bin',
      FOSP_URL: url,
      FOSP_SESSION_FILE: sessionFile,
      FOSP_PASSWORD: PASSWORD,
      ...more,
    };
  }

  start(...args: readonly string[]): ChildProcess {
    return spawn(process.execPath, [MAIN, ...args], { env: this.#environment, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  async run(...args: readonly string[]): Promise<CliResult> {
    return await resultOf(this.start(...args));
  }

  /** A command that must exit with 0; throws with what it said. */
  async succeed(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args);
    if (code !== 0) {
      throw new Error(`fosp ${args.join(' ')} exited with ${code}: ${stderr}${stdout}`);
    }
    return stdout;
  }
}

export function resultOf(child: ChildProcess): Promise<CliResult> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
    stdout += piece;
  });
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    stderr += piece;
  });
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
