/**
 * Two object pods share a Redis that each reaches over a network of its own, which is laggy and cut now and then; Redis is
 * flushed now and then. Through two gateways many reads go on beside changes of rights: nobody may read with a right whose
 * revocation had been acknowledged.
 */
import {
  type Cluster,
  type Infrastructure,
  type Pod,
  startBadNetwork,
  startCluster,
  startInfrastructure,
  TestSession,
} from '@fosp/testkit';
import { type Chance, chanceOf } from '../chaos/chance.ts';
import { SharedTree, type Writes } from './shared-tree.ts';

export interface StalenessOptions {
  /** How many reads at least. */
  readonly reads: number;
  readonly seed: string;
}

export interface StalenessOutcome {
  reads: number;
  /** Of these, answered 403. */
  refused: number;
  readonly writes: Writes;
  /** Reads that each object pod served from Redis, and from Postgres. */
  readonly pods: { readonly hits: number; readonly misses: number }[];
  readonly troubles: Troubles;
  readonly wrong: string[];
}

interface Troubles {
  /** Pieces of bytes that were late. */
  lags: number;
  /** Moments at which Redis was out of reach for longer than the pods have patience. */
  stalls: number;
  cuts: number;
  flushes: number;
}

const TREES = 12;
const READERS_PER_TREE = 4;
const CONNECTIONS_PER_GATEWAY = 3;
/** Reads of a tree between two changes of it, about. */
const READS_PER_WRITE = 24;
/** How often trouble comes: so often per run, but no more often than once in so many reads, since pods take a while to trust Redis again. */
const CUTS = { perRun: 15, reads: 1_500 };
const FLUSHES = { perRun: 20, reads: 1_000 };
const STALLS = { perRun: 5, reads: 700 };
/** Milliseconds that pods wait for Redis: much more than usual, since on a busy machine they would hardly ask it. */
const PATIENCE = 200;
/** One of so many pieces of bytes is late, by up to so many milliseconds. */
const PIECES_PER_LAG = 20;
const LONGEST_LAG = 20;
const DOMAIN = 'wonderland.lit';

export async function runStaleness(options: StalenessOptions): Promise<StalenessOutcome> {
  const chance = chanceOf(options.seed);
  const troubles: Troubles = { lags: 0, stalls: 0, cuts: 0, flushes: 0 };
  await using infrastructure = await startInfrastructure();
  await using networks = new AsyncDisposableStack();
  const [one, other] = [
    networks.use(await startLaggyNetwork(infrastructure, chance.of('one'), troubles)),
    networks.use(await startLaggyNetwork(infrastructure, chance.of('other'), troubles)),
  ];
  await using cluster = await startCluster({
    infrastructure,
    environment: { FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: '100000', FOSP_HASH_MEMORY: '1 MiB' },
    replicas: { notifications: 1, attachments: 1, federation: 0 },
    environmentOf: (service, at) =>
      service === 'objects'
        ? {
            FOSP_REDIS_URL: `redis://127.0.0.1:${(at === 0 ? one : other).port}`,
            FOSP_REDIS_PATIENCE_MS: String(PATIENCE),
          }
        : {},
  });
  const outcome: StalenessOutcome = {
    ...{ reads: 0, refused: 0, writes: { given: 0, revoked: 0, changed: 0 } },
    ...{ pods: [], troubles, wrong: [] },
  };
  const isTimeFor = ({ perRun, reads }: typeof CUTS) =>
    outcome.reads % Math.max(reads, Math.ceil(options.reads / perRun)) === 0;
  const disturb = () => {
    if (isTimeFor(CUTS)) {
      troubles.cuts++;
      chance.pick([one, other]).cut();
    }
    if (isTimeFor(STALLS)) {
      troubles.stalls++;
      chance.pick([one, other]).stall();
    }
    if (isTimeFor(FLUSHES)) {
      troubles.flushes++;
      void infrastructure.redis.command('FLUSHALL');
    }
  };
  await readAndRevoke(cluster, { ...options, chance, outcome, disturb });
  outcome.pods.push(...(await Promise.all(cluster.podsOf('objects').map(readsOf))));
  return outcome;
}

interface Run {
  readonly reads: number;
  readonly chance: Chance;
  readonly outcome: StalenessOutcome;
  /** Called after each read. */
  readonly disturb: () => void;
}

async function readAndRevoke(cluster: Cluster, run: Run): Promise<void> {
  const urls = cluster.podsOf('gateway').map((pod) => pod.process.url);
  const reader = `reader@${DOMAIN}`;
  await (await TestSession.register(urls[0] ?? '', reader)).close();
  const places = urls.flatMap((url) => Array.from({ length: CONNECTIONS_PER_GATEWAY }, () => url));
  const readers = await Promise.all(places.map((url) => TestSession.logIn(url, reader)));
  await Promise.all(
    Array.from({ length: TREES }, async (_, at) => {
      const owner = `owner-${at}@${DOMAIN}`;
      await (await TestSession.register(urls[0] ?? '', owner)).close();
      const owners = await Promise.all(urls.map((url) => TestSession.logIn(url, owner)));
      const tree = new SharedTree(owner, reader);
      await tree.prepare(owners[0] ?? fail());
      await work(tree, { ...run, chance: run.chance.of(owner), readers, owners });
      await Promise.all(owners.map((session) => session.close()));
    }),
  );
  await Promise.all(readers.map((session) => session.close()));
}

interface Sessions {
  readonly readers: readonly TestSession[];
  readonly owners: readonly TestSession[];
}

/** Reads one tree over and over, and changes it now and then meanwhile. */
async function work(tree: SharedTree, run: Run & Sessions): Promise<void> {
  const { chance, outcome, reads, readers, owners, disturb } = run;
  let writing: Promise<void> | undefined;
  const write = async () => {
    await tree.write(chance.pick(owners), chance, outcome.writes).catch((error: unknown) => {
      outcome.wrong.push(error instanceof Error ? error.message : String(error));
    });
    writing = undefined;
  };
  const read = async () => {
    while (outcome.reads < reads) {
      const { status, wrong } = await tree.read(chance.pick(readers));
      outcome.reads++;
      outcome.refused += status === 403 ? 1 : 0;
      if (wrong !== undefined) {
        outcome.wrong.push(wrong);
      }
      if (chance.below(READS_PER_WRITE) === 0) {
        writing ??= write();
      }
      disturb();
    }
  };
  await Promise.all(Array.from({ length: READERS_PER_TREE }, read));
  await writing;
}

interface LaggyNetwork extends AsyncDisposable {
  readonly port: number;
  cut(): void;
  /** The next piece of bytes is later than pods wait. */
  stall(): void;
}

async function startLaggyNetwork({ redis }: Infrastructure, chance: Chance, troubles: Troubles): Promise<LaggyNetwork> {
  let stalled = false;
  const lag = () => {
    if (stalled) {
      stalled = false;
      return 2 * PATIENCE;
    }
    if (chance.below(PIECES_PER_LAG) > 0) {
      return 0;
    }
    troubles.lags++;
    return chance.between(1, LONGEST_LAG);
  };
  const network = await startBadNetwork({ port: redis.port, lag });
  return {
    port: network.port,
    cut: () => {
      network.cut();
    },
    stall: () => {
      stalled = true;
    },
    [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
  };
}

/** As the pod counts them itself. */
async function readsOf(pod: Pod): Promise<{ hits: number; misses: number }> {
  const text = await (await fetch(`${pod.process.admin}/metrics`)).text();
  const count = (cache: string) =>
    Number(new RegExp(`^fosp_objects_reads_total\\{cache="${cache}"\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  return { hits: count('hit'), misses: count('miss') };
}

function fail(): never {
  throw new Error('There is no gateway');
}
