/**
 * A PostgreSQL server of the test's own: Debian's package, on a free port of 127.0.0.1, its data in a folder that goes with
 * it. Tests take a fresh database each.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { appendFileSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { START_PATIENCE, within } from './inbox.ts';

const execute = promisify(execFile);

const LOOPBACK = '127.0.0.1';
const VERSIONS = '/usr/lib/postgresql';

/** Where the programs of the newest version are; undefined where there is none. */
function programs(): string | undefined {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(VERSIONS, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
}

/**
 * Whether tests that need the server run. Without its programs they are left out, with a sentence that says so; unless the
 * run says that nothing may be left out (`FOSP_TEST_REQUIRE_INFRASTRUCTURE=1`): then this is true, and they fail.
 */
export function postgresInstalled(): boolean {
  // biome-ignore lint/style/noProcessEnv: tests have no configuration of their own.
  if (process.env['FOSP_TEST_REQUIRE_INFRASTRUCTURE'] === '1' || programs() !== undefined) {
    return true;
  }
  process.stderr.write('Tests that need PostgreSQL are left out: it is not installed here (Debian: postgresql-15).\n');
  return false;
}

export interface PostgresOptions {
  /** Where it listens as well as on loopback, for everybody on the networks that this machine is on. */
  readonly host?: string | undefined;
  /** Of `postgresql.conf`, beside those that make a test fast. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Who the server runs as: it refuses to be root. */
interface Owner {
  readonly uid?: number;
  readonly gid?: number;
}

export class PostgresServer implements AsyncDisposable {
  readonly port: number;
  readonly #bin: string;
  readonly #folder: string;
  readonly #owner: Owner;
  readonly #settings: readonly string[];
  readonly #host: string;
  #child: ChildProcess | undefined;
  #databases = 0;

  constructor(place: { bin: string; folder: string; owner: Owner; port: number }, options: PostgresOptions) {
    this.#bin = place.bin;
    this.#folder = place.folder;
    this.#owner = place.owner;
    this.port = place.port;
    const { host = LOOPBACK } = options;
    this.#host = host;
    const addresses = [...new Set([LOOPBACK, host])].join();
    const settings = { fsync: 'off', max_connections: '200', listen_addresses: addresses, ...options.settings };
    this.#settings = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  }

  /** Of its main process, which starts one per connection. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Of the maintenance database. */
  get url(): string {
    return this.urlOf('postgres');
  }

  urlOf(database: string): string {
    return `postgres://postgres@${this.#host}:${this.port}/${database}`;
  }

  /** Begins the server on its data, and waits until it answers. */
  async start(): Promise<void> {
    const given = ['-D', join(this.#folder, 'data'), '-p', String(this.port), '-k', this.#folder, ...this.#settings];
    const child = spawn(join(this.#bin, 'postgres'), given, { ...this.#owner, cwd: this.#folder, stdio: 'pipe' });
    this.#child = child;
    let output = '';
    const ready = Promise.withResolvers<void>();
    child.stderr?.on('data', (data: Buffer) => {
      output += data;
      if (output.includes('ready to accept connections')) {
        ready.resolve();
      }
    });
    child.once('close', () => ready.reject(new Error(`PostgreSQL ended before it was ready: ${output}`)));
    await within(ready.promise, 'PostgreSQL to be ready', START_PATIENCE);
  }

  /** Ends it as its operator would, breaking connections. */
  stop(): Promise<void> {
    return this.#end('SIGINT');
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    const { pid } = this.#child ?? {};
    if (pid !== undefined) {
      // Not its main process alone: that would leave the others at work until they notice.
      const children = await execute('ps', ['-o', 'pid=', '--ppid', String(pid)]).catch(() => ({ stdout: '' }));
      await Promise.all([this.#end('SIGKILL'), ...children.stdout.split(/\s+/).filter(Boolean).map(killOne)]);
    }
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Makes an empty database, and gives its URL. */
  async database(): Promise<string> {
    const name = `test_${++this.#databases}`;
    await this.sql(`CREATE DATABASE ${name}`);
    return this.urlOf(name);
  }

  /** Runs SQL from outside; its rows as lines, columns separated by `|`. */
  async sql(statement: string, url = this.url): Promise<string[]> {
    const { stdout } = await execute(join(this.#bin, 'psql'), ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-c', statement, url]);
    return stdout.split('\n').filter((line) => line !== '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
      return;
    }
    const ended = new Promise<void>((resolve) => {
      child.once('close', () => resolve());
    });
    child.kill(signal);
    await within(ended, `PostgreSQL to end after ${signal}`);
  }
}

/** Makes a cluster and starts a server on it. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const bin = programs();
  if (bin === undefined) {
    throw new Error('PostgreSQL is not installed (Debian: postgresql-15)');
  }
  const owner = ownerOfServer();
  const folder = mkdtempSync(join(tmpdir(), 'fosp-postgres-'));
  if (owner.uid !== undefined && owner.gid !== undefined) {
    chownSync(folder, owner.uid, owner.gid);
  }
  const given = ['-D', join(folder, 'data'), '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'];
  await execute(join(bin, 'initdb'), given, { ...owner, cwd: folder });
  if (options.host !== undefined) {
    appendFileSync(join(folder, 'data', 'pg_hba.conf'), 'host all all samenet trust\n');
  }
  const server = new PostgresServer({ bin, folder, owner, port: await freePort() }, options);
  await server.start();
  return server;
}

function ownerOfServer(): Owner {
  if (process.getuid?.() !== 0) {
    return {};
  }
  const id = (option: string) => Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** By its id. */
function killOne(pid: string): void {
  try {
    process.kill(Number(pid), 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
