/** Two providers that know each other's address: each one server, or each a cluster with a load balancer. */
import { freePort, ServerProcess, startCluster, temporaryDirectory } from '@fosp/testkit';
import { type CpuTimes, cpuSecondsOf } from '../cluster/processes.ts';
import type { Home } from '../users.ts';

export type ProviderKind = 'standalone' | 'cluster';

export interface Provider extends Home, AsyncDisposable {
  /** CPU seconds so far of all its processes, those of its database and the like too. */
  cpuTimes(): CpuTimes;
}

export interface Providers extends AsyncDisposable {
  /** Whose users ask. */
  readonly asking: Provider;
  /** Who has the objects. */
  readonly answering: Provider;
}

const ASKING = 'realworld.lit';
const ANSWERING = 'wonderland.lit';
/** Passwords are hashed cheaply, since many accounts are made. */
const ENVIRONMENT = {
  FOSP_FEDERATION_PRIVATE: '127.0.0.0/8',
  FOSP_HASH_MEMORY: '1 MiB',
  FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: '1000000',
};

interface Place {
  readonly domain: string;
  readonly port: number;
  readonly environment: Readonly<Record<string, string>>;
}

export async function startProviders(kind: ProviderKind): Promise<Providers> {
  const [here, there] = [await freePort(), await freePort()];
  const start = kind === 'cluster' ? startClustered : startAlone;
  const placeOf = (domain: string, port: number, peer: string): Place => ({
    domain,
    port,
    environment: { ...ENVIRONMENT, FOSP_DOMAIN: domain, FOSP_FEDERATION_PEERS: peer },
  });
  await using started = new AsyncDisposableStack();
  const asking = started.use(await start(placeOf(ASKING, here, `${ANSWERING}=ws://127.0.0.1:${there}`)));
  const answering = started.use(await start(placeOf(ANSWERING, there, `${ASKING}=ws://127.0.0.1:${here}`)));
  const all = started.move();
  return { asking, answering, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

async function startAlone({ domain, port, environment }: Place): Promise<Provider> {
  await using started = new AsyncDisposableStack();
  const { path } = started.use(await temporaryDirectory());
  const server = started.use(
    await ServerProcess.start({ dataDirectory: path, environment: { ...environment, FOSP_WS_PORT: String(port) } }),
  );
  const all = started.move();
  return {
    ...{ domain, url: server.url },
    cpuTimes: () => new Map([['standalone', cpuSecondsOf([server.pid])]]),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function startClustered({ domain, port, environment }: Place): Promise<Provider> {
  const cluster = await startCluster({ port, environment, postgres: { settings: { fsync: 'on' } } });
  const processes = await cluster.processes();
  return {
    ...{ domain, url: cluster.url },
    cpuTimes: () => new Map([...processes].map(([name, pids]) => [name, cpuSecondsOf(pids)])),
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}
