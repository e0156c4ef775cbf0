/**
 * A cluster on this machine as its provider runs it: several processes of each service, on NATS, Postgres, Redis and S3 of
 * its own, and HAProxy in front of the gateways. Lifecycle: `start`, then pods come and go, then disposal ends all of it.
 */
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import type { PostgresOptions } from '../postgres-server.ts';
import type { Program } from '../server-process.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { type Balancer, type BalancerOptions, balancerInstalled, startBalancer } from './balancer.ts';
import { type Infrastructure, infrastructureInstalled, startInfrastructure } from './infrastructure.ts';
import { Pod } from './pod.ts';

/** Seconds for the balancer to see that a gateway is unready: it looks every 200 ms. */
const NOTICE = '1';

export type ServiceName = Exclude<Program, 'standalone'>;

/** In the order in which they are started. */
export const SERVICES: readonly ServiceName[] = ['objects', 'notifications', 'attachments', 'federation', 'gateway'];

export interface ClusterOptions extends BalancerOptions {
  /** Processes of each service; 2. */
  readonly replicas?: Partial<Record<ServiceName, number>>;
  /** Places for more of a service, which are not started. */
  readonly spares?: Partial<Record<ServiceName, number>>;
  /** Load balancers before the same gateways; 1. */
  readonly balancers?: number;
  /** The bundle that all of them run, where it is not this checkout. */
  readonly release?: string;
  /** For all of them, beside what tells where everything is. */
  readonly environment?: Readonly<Record<string, string>>;
  /** In place of what they would be told: where a test stands between a service and its server. */
  readonly environmentOf?: (service: ServiceName, at: number) => Readonly<Record<string, string>>;
  readonly postgres?: PostgresOptions;
  /** Used, and left running, instead of one of its own. */
  readonly infrastructure?: Infrastructure;
}

export interface Cluster extends AsyncDisposable {
  /** Of the load balancer, `ws://127.0.0.1:…`. */
  readonly url: string;
  readonly balancer: Balancer;
  readonly balancers: readonly Balancer[];
  readonly infrastructure: Infrastructure;
  readonly pods: readonly Pod[];
  podsOf(service: ServiceName): readonly Pod[];
  /** The main processes of all that runs, by what they are: services, and the servers under them. */
  processes(): Promise<ReadonlyMap<string, readonly number[]>>;
}

/** What a cluster needs is here; what is missing is said. */
export function clusterInstalled(): boolean {
  return [infrastructureInstalled(), balancerInstalled()].every(Boolean);
}

/** Resolves once the load balancer has gateways to send clients to. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  await using started = new AsyncDisposableStack();
  const infrastructure =
    options.infrastructure ?? started.use(await startInfrastructure({ ...options.postgres, release: options.release }));
  const { path } = started.use(await temporaryDirectory());
  const pods: Pod[] = [];
  const atFirst: Pod[] = [];
  const gateways: { port: number; adminPort: number }[] = [];
  for (const service of SERVICES) {
    const replicas = options.replicas?.[service] ?? 2;
    for (let at = 0; at < replicas + (options.spares?.[service] ?? 0); at++) {
      const ports = { port: await freePort(), adminPort: await freePort() };
      const name = `${service}-${at + 1}`;
      const environment = {
        ...infrastructure.environment,
        FOSP_ADMIN_PORT: String(ports.adminPort),
        ...(service === 'gateway' ? { FOSP_WS_PORT: String(ports.port), FOSP_DRAIN_NOTICE_SECONDS: NOTICE } : {}),
        ...options.environment,
        ...options.environmentOf?.(service, at),
      };
      const { release } = options;
      const pod = new Pod({ program: service, name, dataDirectory: join(path, name), environment, release });
      pods.push(started.use(pod));
      if (at < replicas) {
        atFirst.push(pod);
      }
      if (service === 'gateway') {
        gateways.push(ports);
      }
    }
  }
  await Promise.all(atFirst.map((pod) => pod.start()));
  const balancer = started.use(await startBalancer(gateways, options));
  const balancers = [balancer];
  while (balancers.length < (options.balancers ?? 1)) {
    balancers.push(started.use(await startBalancer(gateways, options)));
  }
  const podsOf = (service: ServiceName) => pods.filter(({ program }) => program === service);
  const all = started.move();
  return {
    url: balancer.url,
    balancer,
    balancers,
    infrastructure,
    pods,
    podsOf,
    processes: async () => {
      const { nats, postgres, redis, s3 } = infrastructure;
      const running = (service: ServiceName) => podsOf(service).filter(({ isRunning }) => isRunning);
      const ours = SERVICES.map((service) => [service, running(service).map((pod) => pod.process.pid)] as const);
      const theirs = Object.entries({ nats, postgres, redis, haproxy: balancer }).map(
        ([name, { pid }]) => [name, pid === undefined ? [] : [pid]] as const,
      );
      return new Map<string, readonly number[]>([...ours, ...theirs, ['s3', await s3.pids()]]);
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
