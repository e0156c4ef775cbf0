/** What all processes of a cluster write to their logs about the same requests, at the most talkative level. */
import { ALICE, type Cluster, clusterInstalled, type LogLine, startCluster, TestSession } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { startCollector } from '../../src/collector.ts';

/** Each stands for something that must be in no log. */
const MARKS = {
  password: 'pw-mark-4711',
  wrongPassword: 'wrong-mark-4712',
  data: 'data-mark-4713',
  file: 'file-mark-4714',
  fileName: 'name-mark-4715',
  adminToken: 'admin-mark-4716',
  collectorHeader: 'header-mark-4717',
};

async function start() {
  await using started = new AsyncDisposableStack();
  const collector = started.use(await startCollector());
  const cluster = started.use(
    await startCluster({
      replicas: { objects: 2, notifications: 1, attachments: 1, federation: 1, gateway: 1 },
      environment: {
        FOSP_LOG_LEVEL: 'trace',
        FOSP_HASH_MEMORY: '1 MiB',
        FOSP_ADMIN_TOKEN: MARKS.adminToken,
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_EXPORTER_OTLP_HEADERS: `authorization=${MARKS.collectorHeader}`,
      },
    }),
  );
  const all = started.move();
  return { cluster, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** Ends all processes, so that all is written; the lines and errors of each, by its name. */
async function endAndRead(cluster: Cluster) {
  const processes = cluster.pods.map(({ name, process }) => ({ name, process }));
  await Promise.all(cluster.pods.map((pod) => pod.stop()));
  const linesOf = (service: string) =>
    processes.flatMap(({ name, process }): LogLine[] => (name.startsWith(service) ? process.lines : []));
  const all = processes.map(({ process }) => JSON.stringify(process.lines) + process.errors).join('\n');
  return { linesOf, all };
}

/** Makes what is stored of an object unreadable, which no request can. */
async function spoil({ infrastructure }: Cluster, path: string): Promise<void> {
  const url = infrastructure.environment['FOSP_POSTGRES_URL'] ?? '';
  const broken = `{"users": ${MARKS.data}`;
  await infrastructure.postgres.sql(`UPDATE objects SET acl = '${broken}' WHERE path = '${path}'`, url);
}

/** As much as may go wrong or right with secrets at hand. */
async function useSecrets(cluster: Cluster): Promise<{ readonly alice: TestSession; readonly token: string }> {
  const alice = await TestSession.register(cluster.url, ALICE, MARKS.password);
  const stranger = await TestSession.connect(cluster.url, 'stranger', { extensions: ['resume', 'password'] });
  await stranger.request('AUTHENTICATE', '*', { body: { name: ALICE, password: MARKS.wrongPassword } });
  const known = await stranger.succeed('AUTHENTICATE', '*', { body: { name: ALICE, password: MARKS.password } });
  await stranger.request('REGISTER', '*', { body: { old: MARKS.wrongPassword, password: MARKS.password } });
  await alice.succeed('CREATE', `${ALICE}/a`, { body: { data: { secret: MARKS.data } } });
  await alice.request('CREATE', `${ALICE}/a`, { body: { data: MARKS.data } });
  await alice.request('UPDATE', `${ALICE}/a`, { body: `{"data": ${MARKS.data}` });
  await alice.request('UPDATE', `${ALICE}/missing`, { body: { data: MARKS.data } });
  const headers = { 'File-Name': MARKS.fileName, 'Content-Type': 'text/plain' };
  await alice.succeed('WRITE', `${ALICE}/a`, { body: Buffer.from(MARKS.file), headers, binary: true });
  await alice.succeed('READ', `${ALICE}/a`);
  return { alice, token: String(JSON.parse(known.body.toString()).token) };
}

describe.skipIf(!clusterInstalled())('logs', { timeout: 300_000 }, () => {
  it('name a request alike in every service, and hold no secret and nothing of objects', async () => {
    await using started = await start();
    const { cluster } = started;
    const { alice, token } = await useSecrets(cluster);
    await alice.succeed('CREATE', `${ALICE}/broken`);
    await spoil(cluster, '/broken');
    const failed = await alice.request('SELECT', `${ALICE}/broken`);
    expect(failed.status).toBe(500);
    const requestId = /log has more under ([\w-]+)/.exec(failed.body.toString())?.[1];
    const { linesOf, all } = await endAndRead(cluster);
    const lineOf = (service: string) => linesOf(service).find((line) => line['requestId'] === requestId);
    const atGateway = lineOf('gateway');
    expect(atGateway).toMatchObject({
      level: 'warn',
      type: 'SELECT',
      trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(lineOf('objects')).toMatchObject({
      level: 'error',
      trace_id: atGateway?.['trace_id'],
      error: { type: expect.any(String), stack: expect.any(String) },
    });
    expect(linesOf('objects').find(({ msg }) => msg === 'wrong name or password')).toHaveProperty('requestId');

    const { environment } = cluster.infrastructure;
    const secrets = [...Object.values(MARKS), token, environment['FOSP_S3_SECRET_ACCESS_KEY'] ?? '', 'X-Amz-'];
    expect(secrets.filter((secret) => secret === '' || all.includes(secret))).toEqual([]);
  });
});
