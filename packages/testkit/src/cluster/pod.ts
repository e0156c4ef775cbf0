/** One process of a cluster, which can be killed, stopped, held still, and started again in the same place. */
import type { Host } from '../hosts/hosts.ts';
import { type Program, type ServerExit, ServerProcess } from '../server-process.ts';

export interface PodOptions {
  readonly program: Program;
  /** Such as `objects-2`. */
  readonly name: string;
  readonly dataDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly host?: Host | undefined;
  /** Of a bundle, where it is not this checkout that runs. */
  readonly release?: string | undefined;
}

export class Pod implements AsyncDisposable {
  readonly program: Program;
  readonly name: string;
  readonly #options: PodOptions;
  #release: string | undefined;
  #process: ServerProcess | undefined;

  constructor(options: PodOptions) {
    this.program = options.program;
    this.name = options.name;
    this.#options = options;
    this.#release = options.release;
  }

  /** Throws where it does not run. */
  get process(): ServerProcess {
    if (this.#process === undefined) {
      throw new Error(`${this.name} does not run`);
    }
    return this.#process;
  }

  get isRunning(): boolean {
    return this.#process !== undefined;
  }

  /** Resolves once it is ready. From now on it runs this release, else the one of the last time. */
  async start(release = this.#release): Promise<void> {
    this.#release = release;
    this.#process = await ServerProcess.start({ ...this.#options, release });
  }

  /** Asks it to end, and waits until it drained. */
  stop(): Promise<ServerExit> {
    return this.#end('SIGTERM');
  }

  kill(): Promise<ServerExit> {
    return this.#end('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isRunning) {
      await this.kill();
    }
  }

  async #end(signal: NodeJS.Signals): Promise<ServerExit> {
    const exit = await this.process.stop(signal);
    this.#process = undefined;
    return exit;
  }
}
