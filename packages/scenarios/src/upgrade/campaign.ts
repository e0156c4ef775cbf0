/**
 * A cluster brought to a newer version while its users work, and back to the older one: first the database is migrated, then
 * the processes of one service after the other are replaced, a new one ready before an old one goes. No request may fail, and
 * at the end all that was acknowledged is there, and all were told of it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { migrate, SERVICES, type ServiceName, startCluster, startInfrastructure } from '@fosp/testkit';
import { Book } from '../chaos/book.ts';
import { chanceOf } from '../chaos/chance.ts';
import { hireCrew } from '../chaos/crew.ts';
import { Load, type Pace } from '../chaos/load.ts';
import { ENVIRONMENT } from '../chaos/stage.ts';
import { Tally } from '../chaos/tally.ts';
import { rollOut } from '../rollout/roll.ts';
import type { Release } from './releases.ts';

export interface UpgradeOptions {
  readonly old: Release;
  readonly fresh: Release;
  /** Whether the older version can run on what the newer one made of the database. */
  readonly goesBack: boolean;
  readonly seed: string;
  readonly clients: number;
  readonly pace: Pace;
  readonly replicas: number;
  /** Milliseconds of load before, between and after the steps. */
  readonly calm: number;
  /** Whether a request that is refused or lost is wrong. It is, unless the machine is so busy that what runs on it seems away. */
  readonly judgesCalm: boolean;
  readonly fsync: 'on' | 'off';
  /** A line now and then. */
  readonly progress: (line: string) => void;
}

export interface UpgradeOutcome {
  readonly migrated: string;
  readonly replaced: number;
  readonly requests: number;
  readonly acknowledged: number;
  readonly filesWritten: number;
  readonly filesRead: number;
  readonly notifications: number;
  /** Requests by what came of them, where that was no success. */
  readonly failed: Readonly<Record<string, number>>;
  /** By step, milliseconds. */
  readonly longestWait: Readonly<Record<string, number>>;
  readonly wrong: readonly string[];
}

/** Milliseconds for what is unknown to be found out, and for notifications to arrive. */
const SETTLING = 120_000;
const ARRIVING = 120_000;

export async function runUpgrade(options: UpgradeOptions): Promise<UpgradeOutcome> {
  await using started = new AsyncDisposableStack();
  const { calm, fresh, fsync, goesBack, old, progress, replicas } = options;
  const now = () => performance.now();
  const tally = new Tally();
  const book = new Book(tally);
  const begin = (step: string) => {
    tally.begin(step);
    if (options.judgesCalm) {
      tally.calm();
    }
    progress(`${step}; so far ${tally.counts.requests} requests, ${tally.wrongCount} wrong`);
  };
  tally.begin('setting up');
  const infrastructure = started.use(await startInfrastructure({ settings: { fsync }, release: old.program }));
  const each = <Value>(value: Value) => Object.fromEntries(SERVICES.map((service) => [service, value]));
  const environment = { ...ENVIRONMENT, FOSP_DRAIN_NOTICE_SECONDS: '3' };
  const cluster = started.use(
    await startCluster({
      infrastructure,
      environment,
      release: old.program,
      replicas: each(replicas),
      spares: each(1),
    }),
  );
  const { clients, pace, seed } = options;
  const crew = started.use(
    await hireCrew({ url: cluster.url, book, tally, chance: chanceOf(seed), now, clients, isSdkAlone: true }),
  );
  const load = new Load(crew.hands, pace);
  load.start();
  begin('before');
  await pause(calm);
  begin('migration');
  const migrated = await migrate(infrastructure.environment, fresh.program);
  progress(migrated.trim());
  await pause(calm);
  let replaced = 0;
  const replace = async (service: ServiceName, release: Release) => {
    for (const { wrong } of await rollOut(cluster, service, { release: release.program })) {
      replaced++;
      for (const text of wrong) {
        tally.wrongly(text);
      }
    }
    await pause(calm);
  };
  for (const service of SERVICES) {
    begin(`${service} upgraded`);
    await replace(service, fresh);
  }
  for (const service of goesBack ? SERVICES.toReversed() : []) {
    begin(`${service} downgraded`);
    await replace(service, old);
  }
  begin('after');
  await settle(load, book, tally);
  return outcomeOf(tally, { migrated: migrated.trim(), replaced });
}

/** Brings all to a stand, and looks at everything. */
async function settle(load: Load, book: Book, tally: Tally): Promise<void> {
  await load.stop();
  for (const problem of await load.settle(SETTLING)) {
    tally.wrongly(problem);
  }
  await load.readAll();
  for (const end = performance.now() + ARRIVING; book.missing().length > 0 && performance.now() < end; ) {
    await pause(100);
  }
  for (const problem of book.missing()) {
    tally.wrongly(problem);
  }
  book.check(performance.now());
}

function outcomeOf(
  { counts, phases, wrong }: Tally,
  rest: Pick<UpgradeOutcome, 'migrated' | 'replaced'>,
): UpgradeOutcome {
  const failed: Record<string, number> = {};
  for (const { answers, name } of phases) {
    for (const [answer, times] of answers) {
      failed[`${name}: ${answer}`] = times;
    }
  }
  const { acknowledged, filesRead, filesWritten, notifications, requests } = counts;
  return {
    ...{ ...rest, requests, acknowledged, filesWritten, filesRead, notifications, failed, wrong },
    longestWait: Object.fromEntries(phases.map(({ longestWait, name }) => [name, Math.round(longestWait)])),
  };
}
