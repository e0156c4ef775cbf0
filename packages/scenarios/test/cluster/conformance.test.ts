/**
 * The conformance suite against a cluster, as its clients reach it: through the load balancer, with each request of a client
 * sent over a random one of three connections, which end at three different gateways.
 */
import { CASES, type Case, createRun, type Run, resultText } from '@fosp/conformance';
import { type Cluster, clusterInstalled, startCluster } from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestsAt } from '../../src/metric-of.ts';
import { PATIENT } from '../../src/patient.ts';
import { Gateways } from './gateways.ts';

const DOMAIN = 'xn--bcher-kva.example';
const GATEWAYS = 3;
const CLOSED = CASES.filter(({ id }) => id === 'register-closed');

const ENVIRONMENT = {
  FOSP_DOMAIN: DOMAIN,
  FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: '100000',
  FOSP_HASH_MEMORY: '1 MiB',
  FOSP_PROXIES: '127.0.0.1/32',
};
/** As in production: gateways see whom the balancer speaks for. */
const BALANCED = { proxyProtocol: true };

describe.skipIf(!clusterInstalled())('a cluster behind its load balancer', () => {
  const cleanup = new AsyncDisposableStack();
  let cluster: Cluster;
  let gateways: Gateways;
  let run: Run;

  beforeAll(async () => {
    cluster = cleanup.use(
      await startCluster({ ...BALANCED, environment: ENVIRONMENT, replicas: { gateway: GATEWAYS } }),
    );
    gateways = new Gateways(cluster);
    run = createRun(cluster.url, DOMAIN, { ...PATIENT, connect: gateways.connect, connectionsPerClient: GATEWAYS });
    cleanup.defer(() => run.close());
  });

  afterAll(() => cleanup.disposeAsync());

  describe.concurrent('conforms', () => {
    conforms(
      CASES.filter((one) => !CLOSED.includes(one)),
      () => run,
    );
  });

  it('had three gateways for each client, and all of them at work', async () => {
    const clients = [...gateways.ofClients.values()];
    expect(clients.length).toBeGreaterThan(10);
    expect(clients.filter((names) => new Set(names).size < GATEWAYS)).toEqual([]);
    const served = await Promise.all(cluster.podsOf('gateway').map(requestsAt));
    expect(served).toHaveLength(GATEWAYS);
    expect(Math.min(...served)).toBeGreaterThan(500);
  });

  describe('conforms, with its gateways closed to registrations', () => {
    let closed: Run;

    beforeAll(async () => {
      const environment = { ...ENVIRONMENT, FOSP_REGISTRATION: 'closed' };
      const replicas = { objects: 0, notifications: 0, attachments: 0, federation: 0 };
      const { infrastructure } = cluster;
      const door = cleanup.use(await startCluster({ ...BALANCED, infrastructure, environment, replicas }));
      closed = createRun(door.url, DOMAIN, PATIENT);
    });

    conforms(CLOSED, () => closed);
  });
});

function conforms(cases: readonly Case[], run: () => Run): void {
  for (const one of cases) {
    it(`${one.covers.join(' ')} ${one.id}: ${one.title}`, async ({ expect }) => {
      const result = await run().execute(one);
      expect(result.outcome, resultText(result)).toBe('ok');
    });
  }
}
