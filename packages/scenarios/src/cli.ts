import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { PASSWORD } from '@fosp/testkit';

const MAIN = fileURLToPath(import.meta.resolve('@fosp/cli/main'));

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Of standard output. */
  readonly bytes: Buffer;
}

/** `fosp`, for a shell. */
export const COMMAND = `"${process.execPath}" "${MAIN}"`;

type Environment = Readonly<Record<string, string | undefined>>;

/** `fosp` as one person uses it: a process for each command, with a login file of their own. */
export class Cli {
  readonly #environment: Environment;

  constructor(url: string | undefined, sessionFile: string, more: Environment = {}) {
    this.#environment = {
      PATH: '/usr/bin:/bin',
      FOSP_URL: url,
      FOSP_SESSION_FILE: sessionFile,
      FOSP_PASSWORD: PASSWORD,
      ...more,
    };
  }

  /** The same person, with other settings; `undefined` takes one away. */
  with(more: Environment): Cli {
    return new Cli(undefined, '', { ...this.#environment, ...more });
  }

  start(...args: readonly string[]): ChildProcess {
    return spawn(process.execPath, [MAIN, ...args], { env: this.#environment, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  async run(...args: readonly string[]): Promise<CliResult> {
    return await resultOf(this.start(...args));
  }

  /** Held to the permissions of files, which the superuser otherwise is not. */
  async runUnprivileged(...args: readonly string[]): Promise<CliResult> {
    const capabilities = '-dac_override,-dac_read_search';
    const drop = ['setpriv', `--bounding-set=${capabilities}`, `--inh-caps=${capabilities}`];
    const [program = '', ...rest] = [...(process.getuid?.() === 0 ? drop : []), process.execPath, MAIN, ...args];
    return await resultOf(spawn(program, rest, { env: this.#environment }));
  }

  /** With this on its standard input. */
  async feed(input: string | Uint8Array, ...args: readonly string[]): Promise<CliResult> {
    const child = spawn(process.execPath, [MAIN, ...args], { env: this.#environment });
    child.stdin.on('error', () => undefined).end(input);
    return await resultOf(child);
  }

  /** A line of shell in which `fosp` is the command. */
  async shell(line: string): Promise<CliResult> {
    const script = `fosp() { ${COMMAND} "$@"; }; ${line}`;
    const child = spawn('/bin/bash', ['-c', script], { env: this.#environment, stdio: ['ignore', 'pipe', 'pipe'] });
    return await resultOf(child);
  }

  /** On a terminal where somebody answers each prompt once it is there; gives all that the terminal shows. */
  async onTerminal(args: string, answers: readonly (readonly [prompt: string, answer: string])[]): Promise<string> {
    const environment = { ...this.#environment, TERM: 'dumb' };
    const child = spawn('script', ['-qec', `${COMMAND} ${args}`, '/dev/null'], { env: environment });
    const waiting = [...answers];
    let shown = '';
    let from = 0;
    child.stdout.on('data', (piece: Buffer) => {
      shown += piece;
      const [prompt, answer] = waiting[0] ?? ['', ''];
      const at = prompt === '' ? -1 : shown.indexOf(prompt, from);
      if (at >= 0) {
        from = at + prompt.length;
        waiting.shift();
        child.stdin.write(`${answer}\r`);
      }
    });
    await new Promise((resolve) => child.once('close', resolve));
    return shown;
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
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (piece: Buffer) => stdout.push(piece));
  child.stderr?.on('data', (piece: Buffer) => stderr.push(piece));
  return new Promise((resolve) => {
    child.once('close', (code) => {
      const bytes = Buffer.concat(stdout);
      resolve({ code, stdout: String(bytes), stderr: String(Buffer.concat(stderr)), bytes });
    });
  });
}
