/**
 * The numbers of two neighbours: what a user costs who works on a tree of the other provider, compared with one who works on a
 * tree of their own, in the same run. First between two single servers, then between two clusters.
 */
import { clusterInstalled } from '@fosp/testkit';
import type { CpuTimes } from '../cluster/processes.ts';
import type { Figure } from '../report.ts';
import type { Scale } from '../setup.ts';
import { registerUsers } from '../users.ts';
import { measureFiles } from './files.ts';
import { measureNotifications } from './notifications.ts';
import { type ProviderKind, startProviders } from './providers.ts';
import { startRelay } from './relay.ts';
import { measureSelects } from './selects.ts';

/** Of each provider, with a tree and a connection each. */
const USERS = 64;

export interface NeighbourNumbers {
  readonly kind: ProviderKind;
  readonly figures: readonly Figure[];
  /** CPU microseconds per SELECT, by side and by what the processes are. */
  readonly shares: ReadonlyMap<string, CpuTimes>;
}

/** `scale.requests` are those of a cluster, which needs many times as long for each as a single server does. */
export async function measureFederation(scale: Scale, kinds: readonly ProviderKind[]): Promise<NeighbourNumbers[]> {
  if (kinds.includes('cluster') && !clusterInstalled()) {
    throw new Error('Clusters need nats-server, PostgreSQL, redis-server, Ceph and HAProxy: see above.');
  }
  const numbers: NeighbourNumbers[] = [];
  for (const kind of kinds) {
    numbers.push(await measureNeighbours(kind, scale));
  }
  return numbers;
}

async function measureNeighbours(kind: ProviderKind, { requests, rounds }: Scale): Promise<NeighbourNumbers> {
  await using providers = await startProviders(kind);
  const guests = await registerUsers(providers.asking, 'guest', USERS);
  const hosts = await registerUsers(providers.answering, 'host', USERS);
  await Promise.all(hosts.map(({ name, wire }, at) => letIn(wire, name, guests[at]?.name ?? '')));
  const [guest, host] = [guests[0], hosts[0]];
  if (guest === undefined || host === undefined) {
    throw new Error('There are no users');
  }
  const files = await measureFiles(providers, { guest, host, rounds: 3 * rounds });
  const many = kind === 'cluster' ? requests : 5 * requests;
  await using relay = kind === 'cluster' ? undefined : await startRelay(USERS);
  const { figures, shares } = await measureSelects(providers, { guests, hosts, relay, requests: many, rounds });
  const told = await measureNotifications(providers, { author: host, readers: guests, count: requests, rounds });
  return { kind, figures: [...figures, ...files, ...told], shares };
}

/** What a user of the other provider needs in this tree. */
async function letIn(wire: { ask(start: string, body: string): Promise<unknown> }, tree: string, guest: string) {
  const rights = ['read-data', 'read-attachment', 'write-attachment'];
  await wire.ask(`UPDATE ${tree}`, JSON.stringify({ acl: { users: { [guest]: rights } } }));
}
