/**
 * A real nats-server with JetStream, as a child process on a free port of this machine, its data in a temporary folder.
 * `kill` and `restart` keep port and data, as when a node of a cluster comes back.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './free-port.ts';
import { START_PATIENCE, within } from './inbox.ts';
import { installed } from './installed.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const MEBIBYTE = 1024 * 1024;

export interface NatsOptions {
  /** Where it listens; 127.0.0.1. */
  readonly host?: string | undefined;
  /** Bytes; 8 MiB as in production. */
  readonly maxPayload?: number;
  /** Bytes that the server keeps for a client that does not read, before it closes it; 64 MiB. */
  readonly maxPending?: number;
  /** Is JetStream on? It is unless said otherwise. */
  readonly jetstream?: boolean;
}

export interface NatsServer extends AsyncDisposable {
  /** `nats://127.0.0.1:…` */
  readonly url: string;
  readonly port: number;
  /** Of its process. */
  readonly pid: number | undefined;
  /** Ends it and starts it again, on the same port and data; by `SIGTERM` unless told otherwise. */
  restart(signal?: NodeJS.Signals): Promise<void>;
  /** As if its machine lost power, but for the disk; `restart` brings it back. */
  kill(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** See `installed`. */
export function natsInstalled(): boolean {
  return installed('nats-server');
}

export async function startNats(options: NatsOptions = {}): Promise<NatsServer> {
  const directory = await temporaryDirectory();
  const port = await freePort();
  const configuration = join(directory.path, 'nats.conf');
  const { host = '127.0.0.1', maxPayload = 8 * MEBIBYTE, maxPending = 64 * MEBIBYTE, jetstream = true } = options;
  const store = jetstream ? `jetstream { store_dir: ${JSON.stringify(join(directory.path, 'data'))} }\n` : '';
  const bounds = `max_payload: ${maxPayload}\nmax_pending: ${maxPending}\n`;
  await writeFile(configuration, `listen: "${host}:${port}"\n${bounds}${store}`);
  let child = await launch(configuration);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill(signal);
      await within(exited, `nats-server to end after ${signal}`);
    }
  };
  const stop = async (): Promise<void> => {
    await end('SIGKILL');
    await directory[Symbol.asyncDispose]();
  };
  return {
    url: `nats://${host}:${port}`,
    port,
    get pid() {
      return child.pid;
    },
    kill: () => end('SIGKILL'),
    async restart(signal = 'SIGTERM') {
      await end(signal);
      child = await launch(configuration);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function launch(configuration: string): Promise<ChildProcess> {
  const child = spawn('nats-server', ['-c', configuration], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ready = Promise.withResolvers<void>();
  const lines: string[] = [];
  child.on('error', ready.reject);
  child.on('exit', () => ready.reject(new Error(`nats-server ended: ${lines.join('\n')}`)));
  if (child.stderr) {
    createInterface(child.stderr).on('line', (line) => {
      lines.push(line);
      lines.splice(0, lines.length - 50);
      if (line.includes('Server is ready')) {
        ready.resolve();
      }
    });
  }
  await within(ready.promise, 'nats-server to be ready', START_PATIENCE);
  return child;
}
