/** A cluster under measurement: two of every service, its database synced to disk, and users with a tree each. */
import { type Cluster, type ClusterOptions, startCluster } from '@fosp/testkit';
import { type BenchUser, registerUsers } from '../users.ts';
import { type CpuTimes, cpuSecondsOf, sumOf } from './processes.ts';

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

  /** Users `prefix0` and so on, each with `/a/b/c` of 1 KiB in their tree and a connection through the load balancer. */
  register(prefix: string, count: number): Promise<BenchUser[]> {
    return registerUsers({ url: this.url, domain: ENVIRONMENT.FOSP_DOMAIN }, prefix, count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
  }
}
