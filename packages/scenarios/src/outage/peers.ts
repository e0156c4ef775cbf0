/** What a cluster says of another domain by its admin ports. */
import type { Cluster, Pod } from '@fosp/testkit';

interface ListedPeer {
  readonly domain: string;
  /** `host/pid` of the process that talks to it, where one does. */
  readonly owner?: string;
  readonly queued: number;
}

/** What admin ports ask for. */
export const ADMIN_TOKEN = 'for-the-operator-of-this-cluster';

/** `undefined` where nobody talks to it now, and nothing waits for it. */
export async function listedPeer(cluster: Cluster, domain: string): Promise<ListedPeer | undefined> {
  const [gateway] = cluster.podsOf('gateway');
  const answer = await fetch(`${gateway?.process.admin}/admin/peers`, {
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
  });
  const { peers }: { readonly peers: readonly ListedPeer[] } = JSON.parse(await answer.text());
  return peers.find((peer) => peer.domain === domain);
}

/** The process that talks to it, as soon as one does. */
export async function ownerOf(cluster: Cluster, domain: string): Promise<Pod> {
  for (;;) {
    const owner = (await listedPeer(cluster, domain))?.owner;
    const pods = cluster.podsOf('federation').filter(({ isRunning }) => isRunning);
    const pod = pods.find(({ process: { pid } }) => owner?.endsWith(`/${pid}`));
    if (pod !== undefined) {
      return pod;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Resolves once so many notifications wait for it, with how many do; with what there was where they do not in time. */
export async function untilQueued(
  cluster: Cluster,
  domain: string,
  { count, patience }: { readonly count: number; readonly patience: number },
): Promise<number> {
  const end = performance.now() + patience;
  for (;;) {
    const queued = (await listedPeer(cluster, domain))?.queued ?? 0;
    if (queued === count || performance.now() > end) {
      return queued;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
