/** An S3 server for a test: Ceph's radosgw on loopback, with everything in memory. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { installed } from './installed.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('../programs/start-ceph.sh', import.meta.url));

export interface S3Server extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:PORT`; buckets go by path. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of its processes: what speaks S3, and what stores. */
  pids(): Promise<number[]>;
  /** Kills what speaks S3; what is stored stays. */
  kill(): Promise<void>;
  /** Starts it again on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export function s3Installed(): boolean {
  return ['radosgw', 'ceph-mon', 'ceph-osd', 'ceph'].every((program) => installed(program));
}

/** It listens at this address alone. */
export async function startS3({ host = '127.0.0.1' }: { readonly host?: string | undefined } = {}): Promise<S3Server> {
  const directory = await temporaryDirectory();
  const port = await freePort();
  const [accessKeyId, secretAccessKey] = ['test', 'testing'];
  const environment = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    ...{
      D: directory.path,
      H: host,
      P: String(port),
      MP: String(await freePort()),
      KEY: accessKeyId,
      SECRET: secretAccessKey,
    },
  };
  const folder = join(directory.path, 'run');
  const stop = async () => {
    await endAll(folder, () => true);
    await directory[Symbol.asyncDispose]();
  };
  try {
    await run('bash', [SCRIPT], { env: environment });
    await untilListening(host, port);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ...{ port, endpoint: `http://${host}:${port}`, region: 'us-east-1', accessKeyId, secretAccessKey },
    pids: () => pidsIn(folder, () => true),
    kill: () => endAll(folder, (name) => name.startsWith('client.rgw')),
    restart: async () => {
      await run('radosgw', ['-c', join(directory.path, 'ceph.conf'), '-n', 'client.rgw']);
      await untilListening(host, port);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Kills the daemons whose pid files are in the folder. */
async function endAll(folder: string, which: (name: string) => boolean): Promise<void> {
  for (const pid of await pidsIn(folder, which)) {
    while (pid > 0 && signal(pid)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

async function pidsIn(folder: string, which: (name: string) => boolean): Promise<number[]> {
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((file) => file.endsWith('.pid') && which(file));
  return Promise.all(files.map(async (file) => Number(await readFile(join(folder, file), 'utf8'))));
}

/** False once there is no such process. */
function signal(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

async function untilListening(host: string, port: number): Promise<void> {
  for (let attempt = 0; attempt < 2_000; attempt++) {
    const isListening = await new Promise<boolean>((resolve) => {
      const socket = connect(port, host, () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (isListening) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`radosgw does not listen on ${host}:${port}`);
}
