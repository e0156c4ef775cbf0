/**
 * A cluster on hosts of its own: on each one process of every service, and HAProxy in front of the gateways of all hosts. NATS,
 * Postgres, Redis and S3 are elsewhere on the network.
 */
import { join } from 'node:path';
import { type Balancer, startBalancer } from '../cluster/balancer.ts';
import { SERVICES } from '../cluster/cluster.ts';
import { Pod } from '../cluster/pod.ts';
import { freePort } from '../free-port.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import type { TestCertificate } from '../test-authority.ts';
import type { Host } from './hosts.ts';

export interface HostedClusterOptions {
  readonly hosts: readonly Host[];
  /** Where the load balancers take TLS. */
  readonly port: number;
  readonly identity: TestCertificate;
  /** For all processes, with what tells where the servers under them are. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface HostedCluster extends AsyncDisposable {
  readonly pods: readonly Pod[];
  /** One per host. */
  readonly balancers: readonly Balancer[];
  /** As if this host, by its place among them, lost power. */
  lose(at: number): Promise<void>;
}

/** Resolves once every load balancer is there, and all processes are ready. */
export async function startHostedCluster(options: HostedClusterOptions): Promise<HostedCluster> {
  const { hosts, identity, environment } = options;
  await using started = new AsyncDisposableStack();
  const { path } = started.use(await temporaryDirectory());
  const [port, adminPort] = [await freePort(), await freePort()];
  const proxies = hosts.map(({ ipv4 }) => `${ipv4}/32`).join();
  const pods = hosts.flatMap((host, at) =>
    SERVICES.map((program) => {
      const isGateway = program === 'gateway';
      const reached = { FOSP_ADMIN_HOST: host.ipv4, FOSP_ATTACHMENTS_HOST: host.ipv4, FOSP_FEDERATION_HOST: host.ipv4 };
      const door = { FOSP_WS_PORT: String(port), FOSP_ADMIN_PORT: String(adminPort), FOSP_PROXIES: proxies };
      const name = `${program}-${at + 1}`;
      const pod = new Pod({
        ...{ program, name, host, dataDirectory: join(path, name) },
        environment: { ...environment, ...reached, ...(isGateway ? door : {}) },
      });
      return started.use(pod);
    }),
  );
  await Promise.all(pods.map((pod) => pod.start()));
  const gateways = hosts.map(({ ipv4 }) => ({ host: ipv4, port, adminPort }));
  const tls = { port: options.port, identity };
  const balancers = await Promise.all(
    hosts.map(async (host) => started.use(await startBalancer(gateways, { proxyProtocol: true, host, tls }))),
  );
  const all = started.move();
  const lose = async (at: number) => {
    const ending = pods.filter(({ name }) => name.endsWith(`-${at + 1}`)).map((pod) => pod.kill());
    await Promise.all([...ending, balancers[at]?.[Symbol.asyncDispose]()]);
  };
  return { pods, balancers, lose, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
