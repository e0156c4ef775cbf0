/**
 * A server as its operator runs it: a child process on free ports with a data folder, which can be stopped, killed and
 * started again on the same folder. Its log lines are kept and shown when something it was waited for does not come.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { WONDERLAND } from './cast.ts';
import type { Host } from './hosts/hosts.ts';
import { Inbox, START_PATIENCE, within } from './inbox.ts';

/** A process under load for minutes may have much to say. */
const LINES_KEPT = 10_000;

/** What runs as a process of its own. */
export type Program = 'standalone' | 'gateway' | 'objects' | 'attachments' | 'notifications' | 'federation';

export interface ServerOptions {
  /** Standalone by default. */
  readonly program?: Program;
  /** A bundle that has every program, as the image has it; its file. The sources of this checkout by default. */
  readonly release?: string | undefined;
  readonly dataDirectory: string;
  /** Beside free ports, the domain and the folder; `undefined` takes a default away. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Where it runs, if not on this one: reached by its IPv4 address. */
  readonly host?: Host | undefined;
}

export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface LogLine {
  readonly [field: string]: unknown;
}

export class ServerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #address: string;
  /** Log lines, as objects; what is no JSON as `{ text }`; the newest 10,000, in order. */
  readonly lines: LogLine[] = [];
  /** What it wrote to its standard error. */
  errors = '';
  /** Where clients connect, `ws://…`, and its admin port, `http://…`; known once it is ready. */
  url = '';
  admin = '';
  readonly exited: Promise<ServerExit>;
  readonly #ready = new Inbox<LogLine>('the server to be ready');

  constructor(options: ServerOptions) {
    const environment = {
      FOSP_DOMAIN: WONDERLAND,
      FOSP_HOST: options.host?.ipv4 ?? '127.0.0.1',
      FOSP_WS_PORT: '0',
      FOSP_ADMIN_PORT: '0',
      FOSP_DATA_DIR: options.dataDirectory,
      ...options.environment,
    };
    const name = options.program ?? 'standalone';
    const source = fileURLToPath(new URL(`../../../services/${name}/src/main.ts`, import.meta.url));
    const main = options.release === undefined ? [source] : [options.release, name];
    this.#address = options.host?.ipv4 ?? '127.0.0.1';
    const [program = process.execPath, ...given] = [...(options.host?.command ?? []), process.execPath, ...main];
    this.#child = spawn(program, given, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stderr?.on('data', (data: Buffer) => {
      this.errors += data;
    });
    if (this.#child.stdout) {
      createInterface(this.#child.stdout).on('line', (line) => this.#take(line));
    }
    const exited = Promise.withResolvers<ServerExit>();
    this.exited = exited.promise;
    this.#child.on('close', (code, signal) => {
      this.#ready.fail(new Error(`The server ended (${code ?? signal}) before it was ready: ${this.#output()}`));
      exited.resolve({ code, signal });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves once clients can connect. */
  static async start(options: ServerOptions): Promise<ServerProcess> {
    const server = new ServerProcess(options);
    try {
      await server.#ready.next(START_PATIENCE);
    } catch (error) {
      await server.kill();
      throw error;
    }
    return server;
  }

  /** Asks it to end (SIGTERM) and waits, for longer than any server takes to drain. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<ServerExit> {
    this.#child.kill(signal);
    return within(this.exited, `the server to end after ${signal}`, START_PATIENCE);
  }

  /** As if its machine lost power, but for the disk. */
  kill(): Promise<ServerExit> {
    return this.stop('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #take(line: string): void {
    const entry = parseLine(line);
    this.lines.push(entry);
    if (this.lines.length > LINES_KEPT) {
      this.lines.shift();
    }
    if (entry['wsPort'] !== undefined) {
      this.url = `ws://${this.#address}:${entry['wsPort']}`;
    }
    if (entry['adminPort'] !== undefined) {
      this.admin = `http://${this.#address}:${entry['adminPort']}`;
    }
    if (entry['msg'] === 'ready') {
      this.#ready.add(entry);
    }
  }

  #output(): string {
    return [...this.lines.map((line) => JSON.stringify(line)), this.errors].join('\n');
  }
}

function parseLine(line: string): LogLine {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null ? { ...entry } : { text: line };
  } catch {
    return { text: line };
  }
}
