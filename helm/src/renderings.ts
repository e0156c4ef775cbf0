/** Every profile, every example, and every switch on its own: what the chart is tried with. */
import { example, profile, type Rendering } from './chart.ts';

const DOMAIN = 'domains={wonderland.lit,looking-glass.lit}';
const NATS = 'nats.url=nats://nats:4222';
/** Of all that is kept elsewhere. */
const STORES = [
  'postgres.existingSecret.name=database',
  'redis.url=redis://redis:6379',
  's3.endpoint=https://s3.example',
  's3.existingSecret.name=bucket',
];
const ELSEWHERE: readonly string[] = [DOMAIN, NATS, ...STORES];
const HA: Rendering = { files: [profile('ha')], set: [DOMAIN, ...STORES] };
const RUNBOOKS = 'monitoring.runbooks=https://wiki.example.org/fosp/';
const MONITORING = 'networkPolicy.monitoring[0].namespaceSelector.matchLabels.name=monitoring';

const withSet = (...set: readonly string[]): Rendering => ({ set: [...ELSEWHERE, ...set] });
const withExample = (...names: readonly string[]): Rendering => ({
  files: [profile('ha'), ...names.map(example)],
  set: [DOMAIN],
});

export const RENDERINGS: Readonly<Record<string, Rendering>> = {
  'profile dev': { files: [profile('dev')] },
  'profile ha': HA,
  'profile large': { files: [profile('large')], set: [DOMAIN, NATS, ...STORES] },
  'nothing but what must be': withSet(),
  'CloudNativePG, a Redis operator, Rook': withExample('postgres-cloudnativepg', 'redis-operator', 's3-rook'),
  'Crunchy Postgres, a Redis operator, AWS': withExample('postgres-crunchy', 'redis-operator', 's3-aws'),
  "NATS' own chart": { files: [profile('large'), example('nats')], set: [DOMAIN, ...STORES] },
  'a load balancer with the PROXY protocol': {
    files: [profile('ha'), example('load-balancer-aws')],
    set: [DOMAIN, ...STORES],
  },
  'bundled NATS with a password': withSet('nats.url=', 'nats.bundled.enabled=true', 'nats.existingSecret.name=nats'),
  'bundled NATS of one': withSet('nats.url=', 'nats.bundled.enabled=true', 'nats.replicas=1'),
  'passwords in secrets, and URLs around them': withSet(
    'nats.url=nats://fosp:$(NATS_PASSWORD)@nats:4222',
    'nats.existingSecret.name=nats',
    'redis.url=redis://:$(REDIS_PASSWORD)@redis:6379',
    'redis.existingSecret.name=redis',
  ),
  'cert-manager, and 443': withSet(
    'tls.certManager.enabled=true',
    'tls.certManager.issuer.name=letsencrypt',
    'tls.certManager.dnsNames={fosp.wonderland.lit,wonderland.lit}',
    'public.ports.https=443',
    'public.ports.ws=0',
  ),
  'a certificate of others': withSet('tls.existingSecret=certificate'),
  'an Ingress alone': withSet(
    'ingress.enabled=true',
    'ingress.className=nginx',
    'ingress.tlsSecret=certificate',
    'ingress.annotations.a/b=c',
    'public.type=None',
  ),
  'a route of the Gateway API': withSet('route.enabled=true', 'route.parents[0].name=public', 'public.type=NodePort'),
  'another load balancer': withSet(
    'public.loadBalancerClass=a/b',
    'public.loadBalancerSourceRanges={192.0.2.0/24}',
    'public.annotations.a/b=c',
  ),
  'federation with some': withSet(
    'federation.allow={*.lit}',
    'federation.block={evil.lit}',
    'federation.peers.realworld\\.lit={wss://10.9.8.7:1338,wss://10.9.8.8:1338}',
    'federation.private={10.9.8.0/24}',
    'federation.plain=true',
    'federation.policyConfigMap=policy',
  ),
  "the gateways' certificate shown to other domains": withSet(
    'tls.existingSecret=certificate',
    'federation.certificate.enabled=true',
  ),
  'another certificate shown to other domains': withSet(
    'tls.existingSecret=certificate',
    'federation.policyConfigMap=policy',
    'federation.certificate.enabled=true',
    'federation.certificate.existingSecret=shown',
  ),
  'no federation': withSet('federation.enabled=false'),
  'scaled by CPU': withSet(...['gateway', 'federation'].map((name) => `services.${name}.autoscaling.enabled=true`)),
  'scaled by KEDA': withSet(
    'keda.enabled=true',
    'keda.prometheus=http://prometheus:9090',
    ...['gateway', 'notifications', 'objects'].map((name) => `services.${name}.autoscaling.enabled=true`),
  ),
  'watched, without alerts and dashboards': withSet(
    ...['monitoring.enabled=true', 'monitoring.rules=false', 'monitoring.dashboards=false', MONITORING],
  ),
  watched: withSet('monitoring.enabled=true', 'monitoring.labels.release=prometheus', MONITORING, RUNBOOKS),
  traced: withSet(
    'tracing.endpoint=http://collector.observability:4318',
    'tracing.ratio=0.05',
    'tracing.peers={realworld.lit,looking-glass.lit}',
    'tracing.existingSecret.name=collector',
    'networkPolicy.external.collector.peers[0].namespaceSelector.matchLabels.name=observability',
  ),
  'no network policies': withSet('networkPolicy.enabled=false'),
  'closed registration, and accounts by the admin port': withSet(
    'registration=closed',
    'admin.existingSecret.name=admin',
    'test.existingSecret.name=tester',
  ),
  'an image by its digest': withSet(`image.digest=sha256:${'0'.repeat(64)}`, 'image.pullSecrets={registry}'),
  'nodes of its own': withSet(
    'services.objects.nodeSelector.pool=data',
    'services.objects.tolerations[0].key=data',
    'services.objects.annotations.a/b=c',
    'services.objects.env.FOSP_OBJECT_CACHE=1 GiB',
  ),
  IPv6: withSet('listen=::', 'nats.prefix=shared'),
  'gateways that go one soon after the other': withSet('drain.minReadySeconds=7'),
  'a long drain': withSet('drain.seconds=600', 'drain.noticeSeconds=60', 'drain.preStopSeconds=0'),
};

/** What must be, and what does not go with it: `--set`, and words of the sentence that says so. */
export const CONTRADICTIONS: readonly (readonly [string, readonly string[], string])[] = [
  ['no domain', ['domains=null'], 'domains is empty'],
  ['no NATS', ['nats.url='], 'nats: neither nats.url nor nats.existingSecret.name'],
  ['no database', ['postgres.existingSecret.name='], 'postgres: neither postgres.url nor'],
  ['half of S3', ['s3.existingSecret.name='], 's3.endpoint and s3.existingSecret.name must both be set'],
  ['a password', ['redis.url=redis://:hidden@redis'], 'redis.url has a password, which is for no values'],
  [
    'a password behind the URL',
    ['postgres.url=postgres://db/fosp?user=fosp&password=hidden', 'postgres.existingSecret.name='],
    'postgres.url has a password, which is for no values',
  ],
  [
    'a password beside that of the secret',
    ['nats.url=nats://fosp:$(NATS_PASSWORD)@a\\,nats://fosp:hidden@b', 'nats.existingSecret.name=nats'],
    'nats.url has a password, which is for no values',
  ],
  ['a token', ['nats.url=nats://hidden@nats'], 'nats.url has a token, which is for no values'],
  ['a token of the cache', ['redis.url=redis://hidden@redis'], 'redis.url has a token, which is for no values'],
  ['a URL and a secret', ['redis.existingSecret.name=redis'], 'write $(REDIS_PASSWORD) in the URL'],
  ['a mark without a secret', ['redis.url=redis://:$(REDIS_PASSWORD)@redis'], 'names no secret with it'],
  ['NATS twice', ['nats.bundled.enabled=true'], 'nats.url is set, but nats comes with this chart'],
  ['all in here, and elsewhere', ['dev.enabled=true'], 's3.endpoint or s3.existingSecret.name is set, but S3 comes'],
  [
    'tag and digest',
    ['image.tag=v1', `image.digest=sha256:${'0'.repeat(64)}`],
    'image.tag and image.digest are both set',
  ],
  [
    'two certificates',
    ['tls.existingSecret=a', 'tls.certManager.enabled=true'],
    'the certificate comes from one of them',
  ],
  ['nobody who issues', ['tls.certManager.enabled=true'], 'tls.certManager.issuer.name is empty'],
  ['443 without a certificate', ['public.ports.https=443'], 'the gateways have no certificate'],
  ['no port', ['public.ports.ws=0'], 'public has no port'],
  ['hidden addresses', ['public.externalTrafficPolicy=Cluster'], 'which hides the addresses of clients'],
  ['no door', ['public.type=None'], 'nobody could reach the gateways'],
  ['a route to nowhere', ['route.enabled=true'], 'route.parents is empty'],
  ['too long a notice', ['drain.noticeSeconds=20'], 'more than a third of drain.seconds'],
  [
    'more than there may be',
    ['services.objects.autoscaling.enabled=true', 'services.objects.autoscaling.min=11'],
    'services.objects.autoscaling.min is more than its max',
  ],
  ['KEDA without Prometheus', ['keda.enabled=true'], 'keda.prometheus is empty'],
  [
    'a query without a threshold',
    ['keda.enabled=true', 'services.gateway.autoscaling.enabled=true', 'services.gateway.autoscaling.threshold=0'],
    'its threshold, what one pod is meant for, is 0',
  ],
  ['unwatchable', ['monitoring.enabled=true'], 'networkPolicy.monitoring lets nobody reach the metrics'],
  ['federation with nobody', ['federation.enabled=false', 'federation.plain=true'], 'federation.enabled is off'],
  ['a certificate of nobody', ['federation.certificate.enabled=true'], 'name its secret in federation.certificate'],
  ['one that is not shown', ['federation.certificate.existingSecret=a'], 'federation.certificate.enabled is not'],
  ['its own variable', ['services.gateway.env.FOSP_NATS_URL=x'], 'the chart sets this variable itself'],
];

/** What no value may be, by the schema. */
export const REFUSED: readonly (readonly [string, string])[] = [
  ['services.gateway.replcas=3', 'replcas'],
  ['unknown=1', 'unknown'],
  ['services.gateway.replicas=0', 'replicas'],
  ['services.gateway.resources.limits.memory=lots', 'memory'],
  ['services.gateway.env.PATH=/bin', 'PATH'],
  ['registration=maybe', 'registration'],
  ['nats.replicas=2', 'replicas'],
  ['public.type=ClusterIP', 'type'],
  ['public.proxies={example.org}', 'proxies'],
  ['image.digest=sha256:1', 'digest'],
  ['postgres.password=hidden', 'password'],
  ['domains={a/b}', 'domains'],
  ['s3.endpoint=https://key:hidden@s3.example', 'endpoint'],
  ['tracing.endpoint=http://fosp:hidden@collector:4318', 'endpoint'],
  ['s3.existingSecret.secretKey=x', 'secretKey'],
];

export function contradiction(set: readonly string[]): Rendering {
  return withSet(...set);
}
