/** The servers under a cluster, told the same as in docker-compose.yml; what they keep goes with them. */
import { GenericContainer, Wait } from 'testcontainers';
import type { Images } from './images.ts';
import { STARTUP_TIMEOUT } from './settings.ts';

export const SERVERS = ['nats', 'postgres', 'redis', 's3'] as const;
export type ServerName = (typeof SERVERS)[number];

const USER = 'fosp';
const SECRET = 'for-this-network-alone';

/** What tells a service where each of them is. */
export const ADDRESSES: Readonly<Record<ServerName, Readonly<Record<string, string>>>> = {
  nats: { FOSP_NATS_URL: 'nats://nats:4222' },
  postgres: { FOSP_POSTGRES_URL: `postgres://${USER}:${SECRET}@postgres/${USER}` },
  redis: { FOSP_REDIS_URL: 'redis://redis:6379' },
  s3: {
    FOSP_S3_ENDPOINT: 'http://s3:7070',
    FOSP_S3_FORCE_PATH_STYLE: 'on',
    FOSP_S3_ACCESS_KEY_ID: USER,
    FOSP_S3_SECRET_ACCESS_KEY: SECRET,
  },
};

const NATS_CONFIGURATION = `listen: "0.0.0.0:4222"
max_payload: 8MB
max_pending: 64MB
jetstream { store_dir: "/data" }
`;

type Build = (images: Images) => GenericContainer;

const CONTAINERS: Readonly<Record<ServerName, Build>> = {
  nats: ({ nats }) =>
    new GenericContainer(nats)
      .withCopyContentToContainer([{ content: NATS_CONFIGURATION, target: '/etc/nats-fosp.conf' }])
      .withCommand(['nats-server', '--config', '/etc/nats-fosp.conf'])
      .withWaitStrategy(Wait.forLogMessage('Server is ready')),
  postgres: ({ postgres }) =>
    healthy(new GenericContainer(postgres), ['pg_isready', '-q', '-h', '127.0.0.1', '-U', USER, '-d', USER])
      .withEnvironment({ POSTGRES_USER: USER, POSTGRES_DB: USER, POSTGRES_PASSWORD: SECRET })
      // It need not outlive a power cut.
      .withCommand(['postgres', '-c', 'fsync=off']),
  redis: ({ redis }) =>
    healthy(new GenericContainer(redis), ['redis-cli', 'ping']).withCommand([
      ...['redis-server', '--save', '', '--appendonly', 'no', '--protected-mode', 'no'],
    ]),
  s3: ({ s3 }) =>
    healthy(new GenericContainer(s3), ['nc', '-z', '127.0.0.1', '7070'])
      .withTmpFs({ '/data': 'rw' })
      .withCommand(['posix', '/data'])
      .withEnvironment({ VGW_PORT: ':7070', ROOT_ACCESS_KEY: USER, ROOT_SECRET_KEY: SECRET }),
};

function healthy(container: GenericContainer, command: readonly string[]): GenericContainer {
  return container
    .withHealthCheck({ test: ['CMD', ...command], interval: 500, timeout: 5_000, retries: 200 })
    .withWaitStrategy(Wait.forHealthCheck());
}

/** Without the network that it is to be in. */
export function serverContainer(name: ServerName, images: Images): GenericContainer {
  return CONTAINERS[name](images).withNetworkAliases(name).withStartupTimeout(STARTUP_TIMEOUT);
}
