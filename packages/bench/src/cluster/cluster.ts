/** The numbers of a cluster on this machine: two of every service, Postgres synced to disk, HAProxy in front. */
import { clusterInstalled } from '@fosp/testkit';
import type { Figure } from '../report.ts';
import { Bench, Floor, type Scale } from '../setup.ts';
import { measureFile } from './files.ts';
import { measureNats, measureRedis } from './floors.ts';
import { measureAddedLatency } from './latency.ts';
import { measureNotifications } from './notifications.ts';
import { measureRecovery } from './recovery.ts';
import { measureRequests, type RequestCosts } from './requests.ts';
import { ClusterBench } from './setup.ts';
import { measureTrees } from './trees.ts';

/** Users with a connection and a tree each. */
const USERS = 64;
const FLOOR_QUESTIONS = 40_000;

export interface ClusterNumbers {
  readonly figures: readonly Figure[];
  readonly shares: RequestCosts['shares'];
}

/** @param fileMebibytes size of the large file */
export async function measureCluster(scale: Scale, fileMebibytes: number): Promise<ClusterNumbers> {
  if (!clusterInstalled()) {
    throw new Error('The cluster mode needs nats-server, PostgreSQL, redis-server, Ceph and HAProxy: see above.');
  }
  await using bench = await ClusterBench.start({
    environment: { FOSP_LIMIT_ATTACHMENT: `${2 * fileMebibytes} MiB` },
  });
  const floor = await Floor.start();
  const standalone = await Bench.start();
  try {
    const users = await bench.register('user', USERS + 1);
    const [author, ...readers] = users;
    const [first] = readers;
    if (author === undefined || first === undefined) {
      throw new Error('There are no users');
    }
    const floors = [await measureNats(bench, FLOOR_QUESTIONS), await measureRedis(bench, FLOOR_QUESTIONS)];
    const requests = await measureRequests(bench, readers, { floor, scale });
    const notifications: Figure[] = [];
    for (const some of [[first], readers]) {
      notifications.push(await measureNotifications(bench, { author, readers: some, scale }));
    }
    const alone = await standalone.place();
    const added = await measureAddedLatency(alone, { wire: first.wire, tree: first.name }, scale.requests / 25);
    const trees = await measureTrees(bench, readers, scale.requests / 5);
    const file = await measureFile(bench, author, fileMebibytes);
    const recovery = await measureRecovery(bench, author);
    const figures = [...floors, ...requests.figures, ...notifications, ...added, ...trees, ...file, ...recovery];
    return { figures, shares: requests.shares };
  } finally {
    await floor.stop();
    await standalone.stop();
  }
}
