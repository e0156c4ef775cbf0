/** Which images are run: what the caller names, else what the environment names, else what docker-compose.yml takes too. */

export interface Images {
  /** Ours; `docker build --file deploy/Dockerfile --tag fosp:local .` makes it. */
  readonly fosp: string;
  readonly nats: string;
  readonly postgres: string;
  readonly redis: string;
  /** Told its user by `ROOT_ACCESS_KEY` and `ROOT_SECRET_KEY`, it answers on port 7070, as versitygw does. */
  readonly s3: string;
}

export const DEFAULT_IMAGES: Images = {
  fosp: 'fosp:local',
  nats: 'nats:2-alpine',
  postgres: 'postgres:15',
  redis: 'redis:7',
  s3: 'versity/versitygw:v1.8.0',
};

/** `FOSP_IMAGE`, `FOSP_NATS_IMAGE`, `FOSP_POSTGRES_IMAGE`, `FOSP_REDIS_IMAGE` and `FOSP_S3_IMAGE` name others. */
export function imagesOf(given: Partial<Images> = {}): Images {
  // biome-ignore lint/style/noProcessEnv: a library for tests, which have no configuration but this.
  const named = process.env;
  const image = (which: keyof Images, variable: string) =>
    given[which] ?? (named[variable] || undefined) ?? DEFAULT_IMAGES[which];
  return {
    fosp: image('fosp', 'FOSP_IMAGE'),
    nats: image('nats', 'FOSP_NATS_IMAGE'),
    postgres: image('postgres', 'FOSP_POSTGRES_IMAGE'),
    redis: image('redis', 'FOSP_REDIS_IMAGE'),
    s3: image('s3', 'FOSP_S3_IMAGE'),
  };
}
