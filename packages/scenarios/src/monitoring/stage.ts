/**
 * A cluster as its provider runs it, another provider with a single server, and a Prometheus that scrapes every process of the
 * cluster. Whatever an alert watches can be broken here: the ways to Postgres, S3 and the other provider are proxies, the
 * gateways' certificate is a file, and everything else a process that can be killed.
 */
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type BadNetwork,
  type Cluster,
  freePort,
  type Infrastructure,
  type Pod,
  type PrometheusServer,
  REALWORLD,
  type ServiceName,
  startBadNetwork,
  startCluster,
  startInfrastructure,
  startPrometheus,
  startProxy,
  startTestAuthority,
  type TcpProxy,
  type TestAuthority,
  temporaryDirectory,
  WONDERLAND,
} from '@fosp/testkit';
import { Provider } from '../neighbours.ts';
import type { RuleFile } from './rules.ts';

export interface StageOptions {
  readonly rules: RuleFile;
  readonly replicas?: Partial<Record<ServiceName, number>>;
  /** Labels of a pod, as whoever scrapes it puts them; none by default. */
  readonly labelsOf?: (pod: Pod) => Readonly<Record<string, string>>;
  /** `relabel_configs` of whoever scrapes; none by default. */
  readonly relabelings?: readonly object[];
  /** Of all services, beside what a test needs. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Stage extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly infrastructure: Infrastructure;
  readonly realworld: Provider;
  readonly prometheus: PrometheusServer;
  /** The cluster shows another certificate from now on, one that holds for so many days. */
  certify(days: number): Promise<void>;
  /** Milliseconds by which what goes to and from Postgres is late, either way. */
  lateness: number;
  readonly ways: { readonly postgres: BadNetwork; readonly s3: TcpProxy; readonly realworld: TcpProxy };
}

const ENVIRONMENT = {
  FOSP_HASH_MEMORY: '1 MiB',
  FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: '1000000',
  FOSP_LIMIT_LOGIN_FAILURES_PER_MINUTE: '1000000',
  FOSP_FEDERATION_PRIVATE: '127.0.0.0/8',
  FOSP_ADMIN_TOKEN: 'for-the-operator-of-this-cluster',
  FOSP_WSS_PORT: '0',
  // Where there is no resolver.
  FOSP_DNS_SERVERS: '127.0.0.1:1',
  FOSP_FEDERATION_LOOKUP_SECONDS: '1',
};
/** A domain whose server is never there. */
export const DEAD = 'dormouse.lit';
const CERTIFICATE_DAYS = 60;
/** Domains of the other provider, beside realworld.lit. All are reached by one way. */
export const AWAY = ['lookingglass.lit', 'teaparty.lit', 'croquet.lit', 'chess.lit'];

export async function setStage(options: StageOptions): Promise<Stage> {
  await using started = new AsyncDisposableStack();
  const { path } = started.use(await temporaryDirectory());
  const authority = started.use(await startTestAuthority());
  const identity = { certFile: join(path, 'gateway.crt'), keyFile: join(path, 'gateway.key') };
  const certify = (days: number) => replace(authority, identity, days);
  await certify(CERTIFICATE_DAYS);
  const infrastructure = started.use(await startInfrastructure());
  const late = { lateness: 0 };
  const port = await freePort();
  const ways = {
    postgres: started.use(await startBadNetwork({ port: infrastructure.postgres.port, lag: () => late.lateness })),
    s3: started.use(await startProxy(infrastructure.s3.port)),
    realworld: started.use(await startProxy(port)),
  };
  const environment = {
    ...ENVIRONMENT,
    FOSP_TLS_CERT: identity.certFile,
    FOSP_TLS_KEY: identity.keyFile,
    FOSP_FEDERATION_CERT: identity.certFile,
    FOSP_FEDERATION_KEY: identity.keyFile,
    FOSP_POSTGRES_URL: through(infrastructure.environment['FOSP_POSTGRES_URL'], ways.postgres.port),
    FOSP_S3_ENDPOINT: `http://127.0.0.1:${ways.s3.port}`,
    FOSP_FEDERATION_PEERS: peersBy(ways.realworld),
    ...options.environment,
  };
  const { replicas = {}, labelsOf = () => ({}), rules, relabelings = [] } = options;
  const cluster = started.use(await startCluster({ infrastructure, replicas, environment }));
  const realworld = started.use(
    await Provider.start(REALWORLD, port, {
      FOSP_DOMAIN: [REALWORLD, ...AWAY].join(),
      FOSP_FEDERATION_PEERS: `${WONDERLAND}=${cluster.url}`,
    }),
  );
  const file = join(path, 'rules.json');
  // JSON is YAML.
  await writeFile(file, JSON.stringify(rules));
  const targets = cluster.pods.map((pod) => ({ address: new URL(pod.process.admin).host, labels: labelsOf(pod) }));
  const prometheus = started.use(await startPrometheus({ targets, rules: [file], relabelings }));
  const all = started.move();
  return Object.assign(late, {
    ...{ cluster, infrastructure, realworld, prometheus, certify, ways },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  });
}

function peersBy({ port }: TcpProxy): string {
  const others = [REALWORLD, ...AWAY].map((domain) => `${domain}=ws://127.0.0.1:${port}`);
  return [...others, `${DEAD}=ws://127.0.0.1:1`].join();
}

/** The same server by another port of this machine. */
function through(url: string | undefined, port: number): string {
  const other = new URL(url ?? '');
  other.port = String(port);
  return other.href;
}

async function replace(
  authority: TestAuthority,
  { certFile, keyFile }: { readonly certFile: string; readonly keyFile: string },
  days: number,
): Promise<void> {
  const issued = await authority.issueFor(days, WONDERLAND);
  await copyFile(issued.keyFile, keyFile);
  await copyFile(issued.certFile, certFile);
}
