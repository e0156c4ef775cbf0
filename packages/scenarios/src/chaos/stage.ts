/** The cluster with all its clients in place, before anything befalls it. */
import {
  type Cluster,
  type Infrastructure,
  type ServiceName,
  startCluster,
  startInfrastructure,
  startProxy,
  type TcpProxy,
} from '@fosp/testkit';
import { Book } from './book.ts';
import { CacheHits } from './cache-hits.ts';
import { type Chance, chanceOf } from './chance.ts';
import { hireCrew } from './crew.ts';
import { Load, type Pace } from './load.ts';
import { Probes } from './probe.ts';
import { Tally } from './tally.ts';

export interface StageOptions {
  /** The same seed, the same choices. */
  readonly seed: string;
  readonly clients: number;
  readonly pace: Pace;
  readonly replicas: Partial<Record<ServiceName, number>>;
  /** Milliseconds between two rounds of probes. */
  readonly probeInterval: number;
  /** Of Postgres. What it writes survives the death of processes either way; `on` costs what it costs a provider. */
  readonly fsync: 'on' | 'off';
}

export interface Stage extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly infrastructure: Infrastructure;
  /** Between the services and S3. */
  readonly s3: TcpProxy;
  readonly chance: Chance;
  readonly tally: Tally;
  readonly book: Book;
  readonly load: Load;
  readonly probes: Probes;
  readonly cacheHits: CacheHits;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

/** A file that was replaced goes soon, so that the sweeper has work: after the time that a transfer may take here. */
export const ENVIRONMENT = {
  FOSP_HASH_MEMORY: '1 MiB',
  FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: '1000000',
  FOSP_TRANSFER_SECONDS: '60',
  FOSP_SWEEP_SECONDS: '5',
  FOSP_LOG_LEVEL: 'info',
};

export async function setStage(options: StageOptions): Promise<Stage> {
  await using started = new AsyncDisposableStack();
  const now = () => performance.now();
  const chance = chanceOf(options.seed);
  const tally = new Tally();
  const book = new Book(tally);
  tally.begin('setting up');
  const infrastructure = started.use(await startInfrastructure({ settings: { fsync: options.fsync } }));
  const s3 = started.use(await startProxy(infrastructure.s3.port));
  const cluster = started.use(
    await startCluster({
      infrastructure,
      replicas: options.replicas,
      environment: ENVIRONMENT,
      environmentOf: (service) =>
        service === 'attachments' ? { FOSP_S3_ENDPOINT: `http://127.0.0.1:${s3.port}` } : {},
    }),
  );
  const { url } = cluster;
  const crew = started.use(await hireCrew({ url, book, tally, chance, now, clients: options.clients }));
  const gateways = () =>
    cluster
      .podsOf('gateway')
      .filter(({ isRunning }) => isRunning)
      .map(({ process }) => process.url);
  const probes = await Probes.open({ url, gateways, interval: options.probeInterval, now });
  started.defer(() => probes.close());
  const all = started.move();
  return {
    ...{ cluster, infrastructure, s3, chance, tally, book, probes, now },
    load: new Load(crew.hands, options.pace),
    cacheHits: new CacheHits(),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
