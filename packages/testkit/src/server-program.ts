/**
 * A server of somebody else's, started for a test as a child process: on ports of its own on loopback, with its data in a
 * folder that goes with it. It can be killed, held still, and started again on the same ports and data.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Host } from './hosts/hosts.ts';
import { START_PATIENCE, within } from './inbox.ts';

export interface ProgramOptions {
  readonly command: string;
  readonly arguments: readonly string[];
  /** Found in its output once it can be used. */
  readonly ready: RegExp;
  /** Where it runs, if not on this one. */
  readonly host?: Host | undefined;
}

export class ServerProgram {
  readonly #options: ProgramOptions;
  #child: ChildProcess | undefined;
  #output = '';

  constructor(options: ProgramOptions) {
    this.#options = options;
  }

  /** Of its process; undefined while there is none. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves once it can be used. */
  async start(): Promise<void> {
    const { command, ready, host } = this.#options;
    const [program = command, ...given] = [...(host?.command ?? []), command, ...this.#options.arguments];
    const child = spawn(program, given, { stdio: ['ignore', 'pipe', 'pipe'] });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#child = child;
    this.#output = '';
    const take = (data: Buffer) => {
      this.#output = (this.#output + data).slice(-20_000);
      if (ready.test(this.#output)) {
        resolve();
      }
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.on('error', reject);
    child.on('exit', (code, signal) => reject(new Error(`${command} ended (${code ?? signal})`)));
    try {
      await within(promise, `${command} to be ready`, START_PATIENCE);
    } catch (error) {
      await this.kill();
      throw new Error(`${String(error)}. Its output: ${this.#output}`, { cause: error });
    }
  }

  /** Ends it (SIGKILL) and waits; what it kept in memory is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.kill('SIGKILL');
      await exited;
    }
  }

  /** Holds it still: connections stay, nothing is answered. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }
}
