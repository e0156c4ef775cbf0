export { type BadNetwork, type BadNetworkOptions, startBadNetwork } from './bad-network.ts';
export { type BrokenDns, type BrokenDnsOptions, startBrokenDns } from './broken-dns.ts';
export { ALICE, BOB, PASSWORD, QUEEN, REALWORLD, SISTER, WONDERLAND } from './cast.ts';
export {
  type Balancer,
  type BalancerOptions,
  balancerInstalled,
  startBalancer,
} from './cluster/balancer.ts';
export {
  type Cluster,
  type ClusterOptions,
  clusterInstalled,
  SERVICES,
  type ServiceName,
  startCluster,
} from './cluster/cluster.ts';
export {
  type Infrastructure,
  infrastructureInstalled,
  migrate,
  startInfrastructure,
} from './cluster/infrastructure.ts';
export type { Pod } from './cluster/pod.ts';
export {
  type DnsOptions,
  type DnsRecords,
  type DnsServer,
  dnsInstalled,
  type NameRecords,
  type SrvRecord,
  startDns,
} from './dns-server.ts';
export {
  type Compose,
  composeProject,
  docker,
  dockerRun,
  type Ended,
  engineAnswers,
  fospImage,
} from './engine.ts';
export { freePort } from './free-port.ts';
export { type HostedCluster, type HostedClusterOptions, startHostedCluster } from './hosts/hosted-cluster.ts';
export { type Host, type Hosts, hostsPermitted, startHosts } from './hosts/hosts.ts';
export { Inbox, PATIENCE, within } from './inbox.ts';
export { installed } from './installed.ts';
export { type NatsOptions, type NatsServer, natsInstalled, startNats } from './nats-server.ts';
export { type PostgresOptions, PostgresServer, postgresInstalled, startPostgres } from './postgres-server.ts';
export {
  type FiringAlert,
  lintMetrics,
  type PrometheusOptions,
  type PrometheusServer,
  prometheusInstalled,
  promtool,
  type Sample,
  type ScrapeTarget,
  startPrometheus,
} from './prometheus-server.ts';
export { type RedisCluster, type RedisServer, redisInstalled, startRedis, startRedisCluster } from './redis-server.ts';
export { type S3Server, s3Installed, startS3 } from './s3-server.ts';
export { type LogLine, type Program, type ServerExit, type ServerOptions, ServerProcess } from './server-process.ts';
export { startProxy, type TcpProxy } from './tcp-proxy.ts';
export { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.ts';
export {
  authorityInstalled,
  startTestAuthority,
  type TestAuthority,
  type TestCertificate,
} from './test-authority.ts';
export { type TestNotification, type TestRequestOptions, type TestResponse, TestSession } from './test-session.ts';
export { type FaultShares, type Faults, unreliableTransport } from './unreliable-transport.ts';
export { WireClient, type WireClosed, type WireFrame, type WireOptions } from './wire-client.ts';
export { WireConnection, WireServer, type WireServerOptions } from './wire-server.ts';
