/** A cluster under measurement: two of every service, its database synced to disk, and users with a tree each. */
import { type Cluster, type ClusterOptions, startCluster } from '@fosp/testkit';
import { Wire } from '../wire.ts';
import { type CpuTimes, cpuSecondsOf, sumOf } from './processes.ts';

const PASSWORD = 'bench bench';
const AT_ONCE = 16;
export const ONE_KIB = `"${'x'.repeat(1022)}"`;

export interface BenchUser {
  /** Their name and tree, `user3@localhost`. */
  readonly name: string;
  readonly token: string;
  /** One connection, through the load balancer. */
  readonly wire: Wire;
}

/** Passwords are hashed cheaply, since many accounts are made. */
const ENVIRONMENT = {
  FOSP_DOMAIN: 'localhost',
  FOSP_HASH_MEMORY: '1 MiB',
  FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: '1000000',
};

export class ClusterBench implements AsyncDisposable {
  readonly cluster: Cluster;
  #processes: ReadonlyMap<string, readonly number[]>;

  private constructor(cluster: Cluster, processes: ReadonlyMap<string, readonly number[]>) {
    this.cluster = cluster;
    this.#processes = processes;
  }

  static async start({ environment, ...options }: ClusterOptions = {}): Promise<ClusterBench> {
    const cluster = await startCluster({
      postgres: { settings: { fsync: 'on' } },
      ...options,
      environment: { ...ENVIRONMENT, ...environment },
    });
    return new ClusterBench(cluster, await cluster.processes());
  }

  get url(): string {
    return this.cluster.url;
  }

  /** Of all processes, ours and theirs. */
  cpuTimes(): CpuTimes {
    return new Map([...this.#processes].map(([name, pids]) => [name, cpuSecondsOf(pids)]));
  }

  /** Of what has this name in `cpuTimes`. */
  cpuOf(name: string): number {
    return this.cpuTimes().get(name) ?? 0;
  }

  cpuSeconds(): number {
    return sumOf(this.cpuTimes());
  }

  /** Users `prefix0` and so on, each with `/a/b/c` of 1 KiB in their tree. */
  async register(prefix: string, count: number): Promise<BenchUser[]> {
    const users: BenchUser[] = [];
    for (let from = 0; from < count; from += AT_ONCE) {
      const some = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, at) => `${prefix}${from + at}`);
      users.push(...(await Promise.all(some.map((name) => this.#register(name)))));
    }
    return users;
  }

  async #register(name: string): Promise<BenchUser> {
    const first = await Wire.open(this.url);
    await first.ask('CONNECT *', '{"version":"0.1"}');
    await first.ask('REGISTER *', JSON.stringify({ name, password: PASSWORD }));
    first.socket.terminate();
    const { wire, token } = await Wire.login(this.url, { name, password: PASSWORD });
    const tree = `${name}@localhost`;
    await wire.ask(`CREATE ${tree}/a`);
    await wire.ask(`CREATE ${tree}/a/b`);
    await wire.ask(`CREATE ${tree}/a/b/c`, `{"data":${ONE_KIB}}`);
    return { name: tree, token, wire };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
  }
}
