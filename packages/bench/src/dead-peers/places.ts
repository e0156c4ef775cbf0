/** Servers of which one is beside the dead and the others are not: single ones, or clusters with a load balancer. */
import { startCluster } from '@fosp/testkit';
import { type CpuTimes, cpuSecondsOf } from '../cluster/processes.ts';
import { Bench } from '../setup.ts';
import { registerUsers } from '../users.ts';
import type { Wire } from '../wire.ts';

export type PlaceKind = 'standalone' | 'cluster';

/** A user with a tree at one of them. */
export interface Place {
  readonly url: string;
  readonly token: string;
  readonly tree: string;
  /** For one request at a time, and for many. */
  readonly wire: Wire;
  readonly wires: readonly Wire[];
  /** CPU seconds so far of all its processes, those of its database and the like too. */
  cpuTimes(): CpuTimes;
}

export interface Places extends AsyncDisposable {
  readonly beset: Place;
  /** Of the same server or of two alike: what these differ by is chance. */
  readonly quiet: readonly [Place, Place];
}

type Environment = Readonly<Record<string, string>>;
type Started = Place & AsyncDisposable;

/** Objects in each tree, `n0` and so on. */
export const OBJECTS = 500;
const ONE_KIB = 'x'.repeat(1022);
const CONNECTIONS = 4;
const AT_ONCE = 50;
/** Passwords are hashed cheaply, as everywhere here. */
const ENVIRONMENT = { FOSP_DOMAIN: 'localhost', FOSP_HASH_MEMORY: '1 MiB' };
/** One process of each, so that two clusters have room on the machine. */
const REPLICAS = { objects: 1, notifications: 1, attachments: 1, federation: 1, gateway: 1 };

/** `environment` is what tells a server of the dead. */
export async function startPlaces(kind: PlaceKind, environment: Environment): Promise<Places> {
  const start = kind === 'cluster' ? startClustered : startAlone;
  await using started = new AsyncDisposableStack();
  const quiet = started.use(await start({}));
  const beset = started.use(await start(environment));
  // Another cluster would not fit; it is asked twice in each round instead.
  const alike = kind === 'cluster' ? quiet : started.use(await start({}));
  const all = started.move();
  return { beset, quiet: [quiet, alike], [Symbol.asyncDispose]: () => all.disposeAsync() };
}

async function startAlone(environment: Environment): Promise<Started> {
  const bench = await Bench.start(environment);
  const { wire, tree } = await bench.place();
  await fill(wire, tree);
  const { url, token, wires } = bench;
  return {
    ...{ url, token, tree, wire, wires },
    cpuTimes: () => new Map([['standalone', bench.server.cpuSeconds()]]),
    [Symbol.asyncDispose]: () => bench.stop(),
  };
}

async function startClustered(environment: Environment): Promise<Started> {
  const options = { replicas: REPLICAS, environment: { ...ENVIRONMENT, ...environment } };
  const cluster = await startCluster({ ...options, postgres: { settings: { fsync: 'on' } } });
  const processes = await cluster.processes();
  const { url } = cluster;
  const home = { url, domain: ENVIRONMENT.FOSP_DOMAIN };
  const [user, ...others] = await registerUsers(home, 'user', 1 + CONNECTIONS);
  if (user === undefined) {
    throw new Error('There is no user');
  }
  await fill(user.wire, user.name);
  const rights = { acl: { users: Object.fromEntries(others.map(({ name }) => [name, ['read-data', 'write-data']])) } };
  await user.wire.ask(`UPDATE ${user.name}`, JSON.stringify(rights));
  return {
    ...{ url, token: user.token, tree: user.name, wire: user.wire, wires: others.map(({ wire }) => wire) },
    cpuTimes: () => new Map([...processes].map(([name, pids]) => [name, cpuSecondsOf(pids)])),
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}

async function fill(wire: Wire, tree: string): Promise<void> {
  for (let from = 0; from < OBJECTS; from += AT_ONCE) {
    const some = Array.from({ length: AT_ONCE }, (_, at) => `CREATE ${tree}/n${from + at}`);
    await Promise.all(some.map((start) => wire.ask(start, `{"data":"${ONE_KIB}"}`)));
  }
}
