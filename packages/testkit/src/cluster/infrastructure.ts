/** The servers under a cluster: NATS, Postgres, Redis and S3, each a real one and of this cluster alone. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type NatsServer, natsInstalled, startNats } from '../nats-server.ts';
import { type PostgresOptions, type PostgresServer, postgresInstalled, startPostgres } from '../postgres-server.ts';
import { type RedisServer, redisInstalled, startRedis } from '../redis-server.ts';
import { type S3Server, s3Installed, startS3 } from '../s3-server.ts';

const execute = promisify(execFile);
const MIGRATE = fileURLToPath(new URL('../../../../services/objects/src/migrate.ts', import.meta.url));

export interface Infrastructure extends AsyncDisposable {
  readonly nats: NatsServer;
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
  readonly s3: S3Server;
  /** What tells services where these are. */
  readonly environment: Readonly<Record<string, string>>;
  /** The same for another provider on the same servers, who shares nothing else with the first. */
  another(name: string): Promise<Readonly<Record<string, string>>>;
}

export interface InfrastructureOptions extends PostgresOptions {
  /** Where its servers listen; 127.0.0.1. */
  readonly host?: string | undefined;
  /** The bundle that migrates the database, where it is not this checkout that does. */
  readonly release?: string | undefined;
}

/** All four are here; what is missing is said. */
export function infrastructureInstalled(): boolean {
  return [natsInstalled(), postgresInstalled(), redisInstalled(), s3Installed()].every(Boolean);
}

/** Resolves once services can use them: the database is migrated. */
export async function startInfrastructure(options: InfrastructureOptions = {}): Promise<Infrastructure> {
  await using started = new AsyncDisposableStack();
  const [nats, postgres, redis, s3] = await Promise.all([
    startNats({ host: options.host }).then((server) => started.use(server)),
    startPostgres(options).then((server) => started.use(server)),
    startRedis(options).then((server) => started.use(server)),
    startS3(options).then((server) => started.use(server)),
  ]);
  const environment = {
    FOSP_NATS_URL: nats.url,
    FOSP_POSTGRES_URL: await postgres.database(),
    FOSP_REDIS_URL: redis.url,
    FOSP_S3_ENDPOINT: s3.endpoint,
    FOSP_S3_REGION: s3.region,
    FOSP_S3_ACCESS_KEY_ID: s3.accessKeyId,
    FOSP_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    FOSP_S3_FORCE_PATH_STYLE: 'on',
  };
  const another = async (name: string) => {
    const own = {
      ...environment,
      FOSP_NATS_PREFIX: name,
      FOSP_POSTGRES_URL: await postgres.database(),
      FOSP_REDIS_URL: `${redis.url}/1`,
      FOSP_S3_BUCKET: name,
    };
    await migrate(own, options.release);
    return own;
  };
  await migrate(environment, options.release);
  const all = started.move();
  return { nats, postgres, redis, s3, environment, another, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** What the chart's hook and `fosp-objects migrate` do. */
export async function migrate(environment: Readonly<Record<string, string>>, release?: string): Promise<string> {
  const program = release === undefined ? [MIGRATE] : [release, 'migrate'];
  return (await execute(process.execPath, program, { env: environment })).stdout;
}
