/**
 * A domain is away while its users are to be told of many things, and the process that holds what waits for it is killed on
 * the way. Once the domain is back each of its users is told all of it, once, in the order of each tree.
 *
 * The other domain's server is really gone, and is back when its users have logged in anew: until then nothing reaches it, or
 * they would be told while nobody listens. It says nothing of its own accord, so it is found by being tried again.
 */
import {
  type Cluster,
  freePort,
  type Pod,
  REALWORLD,
  startCluster,
  startProxy,
  type TcpProxy,
  TestSession,
  WONDERLAND,
} from '@fosp/testkit';
import { Provider } from '../neighbours.ts';
import { ADMIN_TOKEN, listedPeer, ownerOf, untilQueued } from './peers.ts';
import { Reader } from './reader.ts';

export interface OutageOptions {
  /** Notifications that are to wait, at least. */
  readonly notifications: number;
  /** How long the domain is away, in seconds. */
  readonly seconds: number;
  /** How often the process that talks to the domain is killed meanwhile. */
  readonly kills: number;
  readonly trees: number;
  /** Users of the other domain; each tree has half of them told. */
  readonly readers: number;
}

export interface OutageOutcome {
  readonly notifications: number;
  readonly trees: number;
  readonly readers: number;
  readonly secondsAway: number;
  /** Which process was killed, each time. */
  readonly killed: readonly string[];
  /** As the server said just before the domain came back. */
  readonly queued: number;
  /** From when the domain was back to when the first was told anything, and to when the last had been told the last. */
  readonly secondsUntilFirst: number;
  readonly secondsUntilTold: number;
  readonly wrong: readonly string[];
}

/** For all to be told, in milliseconds, before the rest counts as lost. */
const PATIENCE = 120_000;

const ENVIRONMENT = {
  FOSP_HASH_MEMORY: '1 MiB',
  FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: '1000',
  FOSP_FEDERATION_PRIVATE: '127.0.0.0/8',
};

export async function runOutage(options: OutageOptions): Promise<OutageOutcome> {
  const port = await freePort();
  await using way = await startProxy(port);
  await using cluster = await startCluster({
    environment: {
      ...ENVIRONMENT,
      FOSP_ADMIN_TOKEN: ADMIN_TOKEN,
      FOSP_FEDERATION_PEERS: `${REALWORLD}=ws://127.0.0.1:${way.port}`,
    },
  });
  await using away = await Provider.start(REALWORLD, port, {
    FOSP_FEDERATION_PEERS: `${WONDERLAND}=${cluster.url}`,
  });
  const names = Array.from({ length: options.readers }, (_, at) => `reader${at}`);
  const before = await Promise.all(names.map(async (name) => new Reader(name, await away.register(name))));
  const trees = await Promise.all(Array.from({ length: options.trees }, (_, at) => plant(cluster, at, names)));
  // They are told of the change by which they are to be told; that is not to wait, too.
  await Promise.all(before.map((reader) => reader.untilTold(treesOf(reader, trees), PATIENCE)));
  await untilQueued(cluster, REALWORLD, { count: 0, patience: PATIENCE });
  return await beAway({ cluster, away, way, trees, names, options });
}

/** One whose changes are told. */
interface Tree {
  readonly name: string;
  readonly author: TestSession;
  readonly readers: readonly string[];
}

interface Stage {
  readonly cluster: Cluster;
  readonly away: Provider;
  readonly way: TcpProxy;
  readonly trees: readonly Tree[];
  readonly names: readonly string[];
  readonly options: OutageOptions;
}

async function beAway(stage: Stage): Promise<OutageOutcome> {
  const { away, cluster, names, options, trees, way } = stage;
  const perChange = trees.reduce((sum, { readers }) => sum + readers.length, 0);
  const rounds = Math.ceil(options.notifications / perChange);
  way.refuse();
  await away.stop('SIGKILL');
  const began = performance.now();
  const killed = await changeAndKill(stage, rounds);
  const queued = await untilQueued(cluster, REALWORLD, { count: rounds * perChange, patience: PATIENCE });
  await away.start();
  const readers = await Promise.all(names.map(async (name) => new Reader(name, await away.logIn(name))));
  const back = performance.now();
  way.resume();
  const told = Promise.all(readers.map((reader) => reader.untilTold(treesOf(reader, trees) * rounds, PATIENCE)));
  const lost = await told.then(
    () => [],
    (error: unknown) => [String(error)],
  );
  const last = performance.now();
  const first = Math.min(...readers.map(({ firstAt }) => firstAt));
  if (lost.length === 0) {
    // What comes twice comes before what is told after it.
    await change(trees, rounds);
    await Promise.all(readers.map((reader) => reader.untilTold(treesOf(reader, trees) * (rounds + 1), PATIENCE)));
  }
  return {
    notifications: rounds * perChange,
    ...{ trees: trees.length, readers: readers.length, killed, queued },
    secondsAway: (back - began) / 1000,
    secondsUntilFirst: (first - back) / 1000,
    secondsUntilTold: (last - back) / 1000,
    wrong: [...lost, ...readers.flatMap((reader) => reader.wrong(rounds + (lost.length === 0 ? 1 : 0)))],
  };
}

/** An author with a tree, of whose changes every second reader is told. */
async function plant(cluster: Cluster, at: number, names: readonly string[]): Promise<Tree> {
  const name = `author${at}@${WONDERLAND}`;
  const author = await TestSession.register(cluster.url, name);
  const readers = names.filter((_, index) => (index + at) % 2 === 0);
  const users = readers.map((reader) => `${reader}@${REALWORLD}`);
  await author.succeed('UPDATE', name, {
    body: {
      acl: { users: Object.fromEntries(users.map((user) => [user, ['data-read']])) },
      subscriptions: Object.fromEntries(users.map((user) => [user, { events: ['updated'], depth: -1 }])),
    },
  });
  for (const object of OBJECTS) {
    await author.succeed('CREATE', `${name}/${object}`);
  }
  return { name, author, readers };
}

const OBJECTS = ['a', 'b', 'c'];

/** Each tree once. */
async function change(trees: readonly Tree[], round: number): Promise<void> {
  await Promise.all(trees.map((tree) => changeOne(tree, `${tree.name}/${OBJECTS[round % OBJECTS.length]}`, round)));
}

/** Where a busy machine has it take too long, and nobody knows whether it was done, that is looked at. */
async function changeOne(tree: Tree, object: string, data: number): Promise<void> {
  const { author } = tree;
  const { status } = await author.request('UPDATE', object, { body: { data }, patience: PATIENCE });
  if (status === 204 || (await author.json<{ data?: number }>('SELECT', object)).data === data) {
    return;
  }
  if (status !== 408) {
    throw new Error(`UPDATE ${object} was answered ${status}`);
  }
  await changeOne(tree, object, data);
}

/** Spread over the time that the domain is away; kills whoever talks to it, at equal distances. */
async function changeAndKill({ cluster, options, trees }: Stage, rounds: number): Promise<string[]> {
  const began = performance.now();
  const killing: Promise<Pod>[] = [];
  for (let round = 0; round < rounds; round++) {
    await change(trees, round);
    if (round + 1 >= (rounds * (killing.length + 1)) / (options.kills + 1) && killing.length < options.kills) {
      killing.push(killOwner(cluster));
    }
    const early = began + (options.seconds * 1000 * (round + 1)) / rounds - performance.now();
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, early)));
  }
  const killed = await Promise.all(killing);
  return killed.map(({ name }) => name);
}

async function killOwner(cluster: Cluster): Promise<Pod> {
  const pod = await ownerOf(cluster, REALWORLD);
  await pod.kill();
  if ((await listedPeer(cluster, REALWORLD)) === undefined) {
    throw new Error('The operator is not shown a domain for which something waits');
  }
  await pod.start();
  return pod;
}

function treesOf({ name }: Reader, trees: readonly Tree[]): number {
  return trees.filter(({ readers }) => readers.includes(name)).length;
}
