/**
 * Four providers on hosts of their own, who know nothing of each other but one DNS server: two clusters of two hosts each and
 * two single servers, each to be found in another way.
 *
 *     wonderland.lit     two hosts   SRV records of two names, on a port of its own
 *     realworld.lit      two hosts   its own addresses, IPv4 and IPv6, on port 1338
 *     lookingglass.lit   one host    /.well-known/fosp on port 443, where its server is too
 *     teaparty.lit       one host    its own address, IPv6 alone, on port 1338
 *
 * This process is on their network too, as the one server of `visitor.lit`, by IPv4 alone though DNS has an IPv6 address as well.
 */
import { createRun, Listener, type Run } from '@fosp/conformance';
import {
  type DnsRecords,
  type Host,
  type Hosts,
  ServerProcess,
  startDns,
  startHostedCluster,
  startHosts,
  startInfrastructure,
  startTestAuthority,
  type TestAuthority,
  temporaryDirectory,
} from '@fosp/testkit';

export const VISITOR = 'visitor.lit';
/** Whose records lead to a server that has no certificate for it. */
export const IMPOSTOR = 'impostor.lit';

/** One way to each provider: where clients connect. */
export interface Provider {
  readonly domain: string;
  readonly url: string;
  /** Where its processes tell of themselves. */
  readonly admins: readonly string[];
  /** What they logged, as JSON. */
  log(): string[];
}

/** On two hosts. */
export interface Clustered extends Provider {
  /** Ends all on the first host, by which clients connected; what is left is reached by the second. */
  loseHost(): Promise<Provider>;
}

export interface World extends AsyncDisposable {
  readonly wonderland: Clustered;
  readonly realworld: Clustered;
  readonly lookingglass: Provider;
  readonly teaparty: Provider;
  readonly authority: TestAuthority;
  /** The server of `visitor.lit`. */
  readonly visitor: Listener;
  /** What it was asked, `A realworld.lit`. */
  questions(): Promise<string[]>;
}

const [SRV_PORT, WSS_PORT, HTTPS_PORT] = [7338, 1338, 443];

export async function startWorld(): Promise<World> {
  await using started = new AsyncDisposableStack();
  const hosts = started.use(startHosts(6));
  const [one, two, three, four, five, six] = hosts.all;
  if (!(one && two && three && four && five && six)) {
    throw new Error('six hosts were asked for');
  }
  const places = { wonderland: [one, two], realworld: [three, four], lookingglass: five, teaparty: six };
  const authority = started.use(await startTestAuthority());
  const dns = started.use(await startDns(recordsOf(places, hosts), { host: hosts.own.ipv4 }));
  const identity = await authority.issue(VISITOR);
  const visitor = await Listener.start({ domain: VISITOR, host: hosts.own.ipv4, port: WSS_PORT, identity });
  started.defer(() => visitor.close());
  const common = {
    FOSP_DNS_SERVERS: dns.address,
    FOSP_FEDERATION_PRIVATE: hosts.networks,
    FOSP_FEDERATION_CA: authority.certFile,
    FOSP_HASH_MEMORY: '1 MiB',
    FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: '100000',
  };
  const single = async (domain: string, host: Host, port: number): Promise<Provider> => {
    const { certFile, keyFile } = await authority.issue(domain);
    const tls = { FOSP_TLS_CERT: certFile, FOSP_TLS_KEY: keyFile, FOSP_WSS_PORT: String(port) };
    const server = await ServerProcess.start({
      dataDirectory: started.use(await temporaryDirectory()).path,
      environment: { ...common, ...tls, FOSP_DOMAIN: domain, FOSP_HOST: '::', FOSP_ADMIN_HOST: host.ipv4 },
      host,
    });
    const log = () => server.lines.map((line) => JSON.stringify(line));
    return { domain, url: `wss://[${host.ipv6}]:${port}`, admins: [started.use(server).admin], log };
  };
  const infrastructure = started.use(await startInfrastructure({ host: hosts.own.ipv4 }));
  const cluster = async (domain: string, on: readonly Host[], { port, servers }: ClusterPlace): Promise<Clustered> => {
    const environment = { ...common, ...servers, FOSP_DOMAIN: domain };
    const identity = await authority.issue(domain);
    const { pods, lose } = started.use(await startHostedCluster({ hosts: on, port, identity, environment }));
    const running = () => pods.filter(({ isRunning }) => isRunning).map((pod) => pod.process);
    const log = () => running().flatMap(({ lines }) => lines.map((line) => JSON.stringify(line)));
    const reachedBy = (host: Host | undefined) => {
      return { domain, url: `wss://${host?.ipv4}:${port}`, admins: running().map(({ admin }) => admin), log };
    };
    const loseHost = async () => {
      await lose(0);
      return reachedBy(on[1]);
    };
    return { ...reachedBy(on[0]), loseHost };
  };
  const lookingglass = await single('lookingglass.lit', five, HTTPS_PORT);
  const teaparty = await single('teaparty.lit', six, WSS_PORT);
  const { environment: servers } = infrastructure;
  const wonderland = await cluster('wonderland.lit', places.wonderland, { port: SRV_PORT, servers });
  const others = await infrastructure.another('realworld');
  const realworld = await cluster('realworld.lit', places.realworld, { port: WSS_PORT, servers: others });
  const all = started.move();
  const { questions } = dns;
  return {
    ...{ wonderland, realworld, lookingglass, teaparty, authority, visitor, questions },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

interface ClusterPlace {
  readonly port: number;
  readonly servers: Readonly<Record<string, string>>;
}

/** One provider held to the suite, beside another. Both are the caller's to close. */
export function runsOf(
  { authority, visitor }: World,
  provider: Provider,
  peer: Provider,
): { readonly run: Run; readonly peer: Run } {
  // Each client has two connections, which the load balancers of a cluster give to its two gateways.
  const options = { connectionsPerClient: 2, timeoutMs: 60_000 };
  const tlsOf = ({ domain }: Provider) => ({ ca: authority.cert, servername: domain });
  const other = createRun(peer.url, peer.domain, { ...options, tls: tlsOf(peer) });
  const run = createRun(provider.url, provider.domain, {
    ...options,
    tls: tlsOf(provider),
    peer: other,
    as: VISITOR,
    listener: visitor,
  });
  return { run, peer: other };
}

interface Places {
  readonly wonderland: readonly Host[];
  readonly realworld: readonly Host[];
  readonly lookingglass: Host;
  readonly teaparty: Host;
}

function recordsOf({ wonderland, realworld, lookingglass, teaparty }: Places, { own }: Hosts): DnsRecords {
  const targets = wonderland.map((_, at) => `server-${at + 1}.wonderland.lit`);
  return {
    '_fosp._wss._tcp.wonderland.lit': { SRV: targets.map((target) => ({ target, port: SRV_PORT })) },
    ...Object.fromEntries(wonderland.map(({ ipv4, ipv6 }, at) => [targets[at], { A: [ipv4], AAAA: [ipv6] }])),
    'realworld.lit': { A: realworld.map(({ ipv4 }) => ipv4), AAAA: realworld.map(({ ipv6 }) => ipv6) },
    'lookingglass.lit': { A: [lookingglass.ipv4], AAAA: [lookingglass.ipv6] },
    'teaparty.lit': { AAAA: [teaparty.ipv6] },
    [IMPOSTOR]: { AAAA: [teaparty.ipv6] },
    [VISITOR]: { A: [own.ipv4], AAAA: [own.ipv6] },
  };
}
