/** The conformance suite, case by case, against standalone. */
import { CASES, type Case, createRun, type Run, resultText } from '@fosp/conformance';
import { redisInstalled, ServerProcess, s3Installed, startRedis, startS3, temporaryDirectory } from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PATIENT } from '../src/patient.ts';

/** An internationalised one, so that no case is skipped for want of it; as the server spells it. */
const DOMAIN = 'xn--bcher-kva.example';
/** What is only to be seen with another configuration, and so in a block of its own. */
const CLOSED = CASES.filter(({ id }) => id === 'register-closed');

conforms('open to registrations', { FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: '100000' }, without(CLOSED));
conforms('closed to registrations', { FOSP_REGISTRATION: 'closed' }, CLOSED);

const hasServers = redisInstalled() && s3Installed();

describe.skipIf(!hasServers)(
  `with Redis and S3${hasServers ? '' : ' (left out: redis-server or Ceph is missing)'}`,
  () => {
    conforms('on these', redisAndS3, without(CLOSED));
  },
);

async function redisAndS3(cleanup: AsyncDisposableStack): Promise<Environment> {
  const redis = cleanup.use(await startRedis());
  const s3 = cleanup.use(await startS3());
  return {
    ...{ FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: '100000', FOSP_REDIS_URL: redis.url, FOSP_S3_ENDPOINT: s3.endpoint },
    ...{ FOSP_S3_ACCESS_KEY_ID: s3.accessKeyId, FOSP_S3_SECRET_ACCESS_KEY: s3.secretAccessKey },
    FOSP_S3_FORCE_PATH_STYLE: 'on',
  };
}

type Environment = Readonly<Record<string, string>>;
type PrepareEnvironment = (cleanup: AsyncDisposableStack) => Promise<Environment>;

function conforms(name: string, environment: Environment | PrepareEnvironment, cases: readonly Case[]): void {
  describe(`standalone, ${name}, conforms`, () => {
    const cleanup = new AsyncDisposableStack();
    let run: Run;

    beforeAll(async () => {
      const given = typeof environment === 'function' ? await environment(cleanup) : environment;
      const { path } = cleanup.use(await temporaryDirectory());
      const server = await ServerProcess.start({
        dataDirectory: path,
        environment: { FOSP_DOMAIN: DOMAIN, ...given },
      });
      run = createRun(cleanup.use(server).url, DOMAIN, PATIENT);
    });

    afterAll(() => cleanup.disposeAsync());

    for (const one of cases) {
      it(`${one.covers.join(' ')} ${one.id}: ${one.title}`, async () => {
        const result = await run.execute(one);
        expect(result.outcome, resultText(result)).toBe('ok');
      });
    }
  });
}

function without(left: readonly Case[]): Case[] {
  return CASES.filter((one) => !left.includes(one));
}
