/** Traces of real processes, as a collector gets them. */
import { ALICE, clusterInstalled, freePort, SISTER, startCluster, TestSession } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { type CollectedSpan, type Collector, pathsOf, startCollector } from '../../src/collector.ts';
import { Provider } from '../../src/neighbours.ts';

const REPLICAS = { objects: 1, notifications: 1, attachments: 1, federation: 1, gateway: 1 };
const RIGHTS = ['data', 'subscriptions', 'attachment', 'children'].flatMap((what) => [`${what}-read`, `${what}-write`]);
/** Stands for all that must be in no span. */
const MARK = 'zw8-object-data';

async function start() {
  await using started = new AsyncDisposableStack();
  const collector = started.use(await startCollector());
  const port = await freePort();
  const tracing = (peers: string) => ({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=wonder%20land',
    OTEL_BSP_SCHEDULE_DELAY: '100',
    FOSP_TRACES_PEERS: peers,
  });
  const cluster = started.use(
    await startCluster({
      replicas: REPLICAS,
      environment: {
        ...tracing('realworld.lit'),
        FOSP_HASH_MEMORY: '1 MiB',
        FOSP_FEDERATION_PRIVATE: '127.0.0.0/8',
        FOSP_FEDERATION_PEERS: `realworld.lit=ws://127.0.0.1:${port}`,
      },
    }),
  );
  const realworld = started.use(
    await Provider.start('realworld.lit', port, {
      ...tracing('wonderland.lit'),
      FOSP_FEDERATION_PEERS: `wonderland.lit=${cluster.url}`,
    }),
  );
  const all = started.move();
  return { collector, cluster, realworld, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** Of the newest request of this type that a gateway or server answered, the paths of all its spans, once these are there. */
function traceOf(collector: Collector, root: string, expected: readonly string[]): Promise<CollectedSpan> {
  return collector.until(`the trace of ${root}: ${expected.join(', ')}`, (spans) =>
    spans.findLast((span) => {
      const isRoot = `${span.service} ${span.name}` === `fosp-${root}` && span.parentSpanId === '';
      return isRoot && expected.every((path) => pathsOf(spans, span.traceId).includes(path));
    }),
  );
}

describe.skipIf(!clusterInstalled())('traces', { timeout: 300_000 }, () => {
  it('lead from the gateway through NATS to Postgres, Redis and S3, and to the server of another domain', async () => {
    await using providers = await start();
    const { collector, cluster, realworld } = providers;
    const alice = await TestSession.register(cluster.url, ALICE);
    const sister = await realworld.register('sister');
    await alice.succeed('UPDATE', ALICE, { body: { subscriptions: { [ALICE]: { events: ['created'], depth: -1 } } } });

    await alice.succeed('CREATE', `${ALICE}/a`, { body: { data: MARK } });
    await alice.nextNotification();
    const create = 'gateway CREATE > gateway objects/create > objects objects/create';
    const created = await traceOf(collector, 'gateway CREATE', [`${create} > objects transaction`]);
    expect(created.attributes).toMatchObject({ 'fosp.domain': 'wonderland.lit', 'fosp.response.status_code': 201 });
    const told = await collector.until('the span of the fan-out', (spans) =>
      spans.find(({ links }) => links.some(({ traceId }) => traceId === created.traceId)),
    );
    expect(told).toMatchObject({ service: 'fosp-notifications', name: 'process changes', parentSpanId: '' });
    expect(told.traceId).not.toBe(created.traceId);

    // What a client says of traces is nothing.
    const stranger = { Traceparent: '00-11111111111111111111111111111111-2222222222222222-01' };
    await alice.succeed('SELECT', `${ALICE}/a`, { headers: stranger });
    const select = 'gateway SELECT > gateway objects/select > objects objects/select';
    await traceOf(collector, 'gateway SELECT', [`${select} > objects MGET`, `${select} > objects snapshot`]);

    await alice.succeed('WRITE', `${ALICE}/a`, { body: Buffer.from(MARK), binary: true });
    const commit = 'gateway WRITE > gateway attachments/commit > attachments attachments/commit';
    await traceOf(collector, 'gateway WRITE', [
      'gateway WRITE > gateway PUT',
      `${commit} > attachments S3/HeadObject`,
      `${commit} > attachments objects/commit-file > objects objects/commit-file > objects transaction`,
    ]);
    await alice.succeed('READ', `${ALICE}/a`);
    await traceOf(collector, 'gateway READ', ['gateway READ > gateway GET']);

    await sister.succeed('UPDATE', SISTER, { body: { acl: { users: { [ALICE]: RIGHTS } }, data: MARK } });
    await alice.succeed('SELECT', SISTER);
    const forward = 'gateway SELECT > gateway federation/forward > federation federation/forward > federation SELECT';
    const there = `${forward} > standalone SELECT > standalone objects/select > standalone objects/select`;
    await traceOf(collector, 'gateway SELECT', [there]);

    const sent = collector.texts.join('\n');
    for (const secret of [MARK, 'alice', 'sister', 'X-Amz', 'Signature', '11111111111111111111111111111111']) {
      expect(sent).not.toContain(secret);
    }
    expect(collector.headers['x-tenant']).toBe('wonder land');
  });
});
