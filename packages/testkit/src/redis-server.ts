/** A Redis, or a Redis Cluster of three masters, for a test. Nothing is kept on disk: it is a cache. */
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { within } from './inbox.ts';
import { installed } from './installed.ts';
import { ServerProgram } from './server-program.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const run = promisify(execFile);
const LOOPBACK = '127.0.0.1';

export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Of its process. */
  readonly pid: number | undefined;
  /** Sends one command past every client under test, `['FLUSHALL']`; its answer as Redis wrote it. */
  command(...words: string[]): Promise<string>;
  kill(): Promise<void>;
  /** Starts it again, empty, on the same port. */
  restart(): Promise<void>;
  /** Holds it still: connections stay, nothing is answered. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

export interface RedisCluster extends AsyncDisposable {
  readonly nodes: readonly RedisServer[];
  /** Of all nodes, separated by commas. */
  readonly url: string;
}

export function redisInstalled(): boolean {
  return installed('redis-server');
}

/** It listens at this address as well as on loopback. */
export function startRedis({ host = LOOPBACK }: { readonly host?: string | undefined } = {}): Promise<RedisServer> {
  return startNode([], host);
}

/** Three masters that share the slots. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const flags = ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf'];
  const nodes = [await startNode(flags), await startNode(flags), await startNode(flags)];
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  await run('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes']);
  for (const node of nodes) {
    await untilClusterIsUp(node);
  }
  return {
    nodes,
    url: nodes.map(({ url }) => url).join(','),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}

async function startNode(flags: readonly string[], host = LOOPBACK): Promise<RedisServer> {
  const directory = await temporaryDirectory();
  const port = await freePort();
  const program = new ServerProgram({
    command: 'redis-server',
    arguments: [
      ...[
        '--bind',
        ...new Set([LOOPBACK, host]),
        '--protected-mode',
        'no',
        '--port',
        String(port),
        '--save',
        '',
        '--appendonly',
        'no',
      ],
      ...['--dir', directory.path, '--logfile', '', '--cluster-port', String(await freePort()), ...flags],
    ],
    ready: /Ready to accept connections/,
  });
  await program.start();
  const stop = async () => {
    await program.kill();
    await directory[Symbol.asyncDispose]();
  };
  return {
    port,
    url: `redis://${host}:${port}`,
    get pid() {
      return program.pid;
    },
    command: (...words) => commandTo(port, words),
    kill: () => program.kill(),
    restart: async () => {
      await program.kill();
      await program.start();
    },
    pause: () => program.pause(),
    resume: () => program.resume(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** One command in the form in which people type it, on a connection of its own. */
async function commandTo(port: number, words: readonly string[]): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (data) => {
    answer += data;
  });
  socket.on('error', reject);
  socket.on('close', () => resolve(answer));
  const bulk = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('');
  socket.write(`*${words.length}\r\n${bulk}*1\r\n$4\r\nQUIT\r\n`);
  return within(promise, `Redis to answer ${words.join(' ')}`);
}

async function untilClusterIsUp(node: RedisServer): Promise<void> {
  while (!(await node.command('CLUSTER', 'INFO')).includes('cluster_state:ok')) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
