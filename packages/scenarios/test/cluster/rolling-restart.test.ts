/**
 * Every pod is stopped and started in turn while users work: none of them notices, but those whose connection is told to
 * reconnect (1012), and of these the SDK hides it.
 */
import { type Cluster, clusterInstalled, type ServiceName, startCluster } from '@fosp/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SdkUser } from '../../src/rollout/sdk-user.ts';
import { newTally, type Tally, type Worker } from '../../src/rollout/tally.ts';
import { RawUser } from './raw-user.ts';

const RAW_USERS = 8;
const SDK_USERS = 4;
const BEHIND: readonly ServiceName[] = ['objects', 'notifications', 'attachments', 'federation'];

describe.skipIf(!clusterInstalled())('a rolling restart under load', () => {
  const cleanup = new AsyncDisposableStack();
  let cluster: Cluster;

  beforeAll(async () => {
    const environment = {
      FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: '100000',
      FOSP_HASH_MEMORY: '1 MiB',
      FOSP_PROXIES: '127.0.0.1/32',
      // Time enough for the balancer to see that a gateway is about to go, on a busy machine too.
      FOSP_DRAIN_NOTICE_SECONDS: '5',
      FOSP_DRAIN_SECONDS: '60',
    };
    cluster = cleanup.use(await startCluster({ environment, proxyProtocol: true }));
  });

  afterAll(() => cleanup.disposeAsync());

  async function restart(services: readonly ServiceName[], name: string): Promise<{ raw: Tally; sdk: Tally }> {
    const [raw, sdk] = [newTally(), newTally()];
    const users: Worker[] = await Promise.all([
      ...Array.from({ length: RAW_USERS }, (_, at) =>
        RawUser.register(`${name}-raw-${at}@wonderland.lit`, cluster.url, raw),
      ),
      ...Array.from({ length: SDK_USERS }, (_, at) => SdkUser.register(`${name}-sdk-${at}`, cluster.url, sdk)),
    ]);
    const everybodyWorks = async () => {
      const before = users.map(({ rounds }) => rounds);
      await expect.poll(() => users.every(({ rounds }, at) => rounds > (before[at] ?? 0) + 1)).toBe(true);
    };
    const pods = services.flatMap((service) => cluster.podsOf(service));
    expect(pods).toHaveLength(2 * services.length);
    const working = users.map((user) => user.work());
    try {
      await everybodyWorks();
      for (const pod of pods) {
        expect(await pod.stop(), pod.name).toEqual({ code: 0, signal: null });
        await pod.start();
        await everybodyWorks();
      }
    } finally {
      for (const user of users) {
        user.stop();
      }
      await Promise.all(working);
    }
    expect(Math.min(raw.notifications, sdk.notifications)).toBeGreaterThan(0);
    return { raw, sdk };
  }

  it('of all services behind the gateways is not seen at all', async () => {
    const { raw, sdk } = await restart(BEHIND, 'behind');
    expect([...raw.faults, ...sdk.faults]).toEqual([]);
    expect({ raw: raw.reconnects, unanswered: raw.unanswered, sdk: sdk.reconnects }).toEqual({
      raw: 0,
      unanswered: 0,
      sdk: 0,
    });
  });

  it('of the gateways is seen as a close with 1012, and by users of the SDK as a gap alone', async () => {
    const { raw, sdk } = await restart(['gateway'], 'gateways');
    expect([...raw.faults, ...sdk.faults]).toEqual([]);
    expect(raw.reconnects).toBeGreaterThanOrEqual(RAW_USERS);
    expect(sdk.reconnects).toBeGreaterThanOrEqual(SDK_USERS);
  });
});
