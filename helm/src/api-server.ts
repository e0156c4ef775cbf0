/**
 * An API server of Kubernetes with its store, on loopback and in a folder of its own, for as long as it is held: what it takes is
 * what a cluster takes, defaults, validation and admission included. Nothing runs pods.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';

/** Milliseconds until it must be ready. */
const PATIENCE = 180_000;

export interface Programs {
  readonly apiServer: string;
  /** Makes pods of Deployments, as far as they are let; left out where it is not given. */
  readonly controllerManager?: string;
}

export interface ApiServer extends AsyncDisposable {
  /** For `kubectl` and `helm`. */
  readonly kubeconfig: string;
  kubectl(args: readonly string[], input?: string): { readonly status: number | null; readonly told: string };
}

export async function startApiServer({ apiServer, controllerManager }: Programs): Promise<ApiServer> {
  const folder = mkdtempSync(`${tmpdir()}/fosp-kubernetes-`);
  const [store, peer, port] = [await freePort(), await freePort(), await freePort()];
  const children: ChildProcess[] = [];
  const start = (program: string, args: readonly string[]) => {
    const log = openSync(`${folder}/${children.length}.log`, 'w');
    children.push(spawn(program, args, { stdio: ['ignore', log, log] }));
  };
  const kubeconfig = writeAccess(folder, port);
  start('etcd', [
    ...[`--data-dir=${folder}/store`, `--listen-client-urls=http://127.0.0.1:${store}`],
    ...[`--advertise-client-urls=http://127.0.0.1:${store}`, `--listen-peer-urls=http://127.0.0.1:${peer}`],
  ]);
  start(apiServer, [
    ...[`--etcd-servers=http://127.0.0.1:${store}`, `--secure-port=${port}`, '--bind-address=127.0.0.1'],
    ...[`--cert-dir=${folder}/certificates`, `--token-auth-file=${folder}/tokens.csv`, '--authorization-mode=RBAC'],
    ...['--service-account-issuer=https://kubernetes.default.svc', `--service-account-key-file=${folder}/account.pub`],
    ...[`--service-account-signing-key-file=${folder}/account.key`, '--service-cluster-ip-range=10.96.0.0/16'],
    '--disable-admission-plugins=ServiceAccount',
  ]);
  const kubectl: ApiServer['kubectl'] = (args, input) => {
    const { status, stdout, stderr } = spawnSync('kubectl', ['--kubeconfig', kubeconfig, ...args], {
      ...{ encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
      ...(input === undefined ? {} : { input }),
    });
    return { status, told: `${stdout}${stderr}` };
  };
  const dispose = async () => {
    await Promise.all(children.map(end));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(() => kubectl(['get', '--raw', '/readyz']));
    if (controllerManager !== undefined) {
      start(controllerManager, [`--kubeconfig=${kubeconfig}`, '--leader-elect=false', '--secure-port=0']);
    }
  } catch (error) {
    await dispose();
    throw error;
  }
  return { kubeconfig, kubectl, [Symbol.asyncDispose]: dispose };
}

async function untilReady(ask: () => { readonly status: number | null; readonly told: string }): Promise<void> {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const { status, told } = ask();
    if (status === 0) {
      return;
    }
    if (Date.now() > end) {
      throw new Error(`The API server is not ready: ${told}`);
    }
    await pause(500);
  }
}

/** Who may do all, and how they reach it. */
function writeAccess(folder: string, port: number): string {
  const token = randomBytes(24).toString('hex');
  writeFileSync(`${folder}/tokens.csv`, `${token},admin,admin,system:masters\n`, { mode: 0o600 });
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(`${folder}/account.pub`, publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(`${folder}/account.key`, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const cluster = { server: `https://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true };
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'here' },
    clusters: [{ name: 'here', cluster }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'here', context: { cluster: 'here', user: 'admin' } }],
  };
  writeFileSync(`${folder}/kubeconfig`, JSON.stringify(config), { mode: 0o600 });
  return `${folder}/kubeconfig`;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const { promise, resolve } = Promise.withResolvers<void>();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
    await promise;
  }
}

async function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const server = createServer().listen(0, '127.0.0.1', () => {
    const address = server.address();
    server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
  });
  return promise;
}

/** What is needed beside what is built, and is not here. */
export function missingPrograms(): string[] {
  return ['go', 'etcd', 'kubectl'].filter((program) => {
    try {
      execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
      return false;
    } catch {
      return true;
    }
  });
}
