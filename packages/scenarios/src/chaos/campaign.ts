/**
 * The campaign: load all the time; pods killed, each kind in turn, again and again; then one fault after the other of what is
 * under them. In between all is brought to a stand, and what is there is held against what was acknowledged, and what every
 * connection was told against what happened.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { SERVICES, type ServiceName } from '@fosp/testkit';
import { FAULTS, type Fault } from './faults.ts';
import { type Recovery, recoveryOf, troublesIn } from './recovery.ts';
import { type Stage, type StageOptions, setStage } from './stage.ts';
import type { Tally } from './tally.ts';

export interface ChaosOptions extends StageOptions {
  /**
   * Whether it is wrong that something is refused or lost while nothing is away. It is, unless the machine is so busy that
   * what runs on it seems to be away.
   */
  readonly judgesCalm: boolean;
  /** Milliseconds of load without a fault at first. */
  readonly calm: number;
  /** Milliseconds in which pods are killed; each kind once at least. */
  readonly kills: number;
  /** Milliseconds that everything is watched after a kill, at least. */
  readonly watch: number;
  /** Milliseconds that something under the pods is away. */
  readonly away: number;
  readonly faults: readonly string[];
  /** Whether all is brought to a stand after each fault, or after the last alone. */
  readonly settlesEach: boolean;
  /** A line now and then. */
  readonly progress: (line: string) => void;
  /** Ends it early; it then rejects, with everything taken down. */
  readonly signal?: AbortSignal;
}

export interface Outage {
  readonly what: string;
  /** Milliseconds until it was back: a pod was ready again, a server answered again. */
  readonly away: number;
  /** From the kill of a pod; from the return of what is under it. */
  readonly recovery: Recovery;
  /** Milliseconds by which a notification of the load came late at most. */
  readonly latestNotification: number;
  readonly connections: { readonly before: number; readonly stayed: number };
  /** What went wrong with probes that were begun after it, and how often. */
  readonly troubles: ReadonlyMap<string, number>;
}

export interface ChaosResult {
  readonly tally: Tally;
  /** What the same measures show while nothing happens: the noise of the machine. */
  readonly nothing: Outage;
  readonly kills: readonly Outage[];
  readonly faults: readonly Outage[];
  readonly seconds: number;
}

/** Milliseconds for which nothing must have failed before a fault counts as over, and the longest that this is waited for. */
const QUIET = 1_500;
const LONGEST_WATCH = 120_000;
/** Milliseconds for what is unknown to be found out, and for notifications to arrive. */
const SETTLING = 300_000;
const ARRIVING = 120_000;
const PROGRESS = 10_000;

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  await using stage = await setStage(options);
  const { now, tally } = stage;
  const began = now();
  const say = (text: string) => options.progress(`${seconds(now() - began)} ${text}`);
  const ticker = setInterval(() => say(progressOf(stage)), PROGRESS);
  const run = new Run(stage, options, say);
  try {
    const nothing = await run.calm();
    const kills = await run.kills();
    const faults = await run.faults();
    return { tally, nothing, kills, faults, seconds: (now() - began) / 1000 };
  } finally {
    clearInterval(ticker);
    await stage.load.stop();
  }
}

class Run {
  readonly #stage: Stage;
  readonly #options: ChaosOptions;
  readonly #say: (text: string) => void;

  constructor(stage: Stage, options: ChaosOptions, say: (text: string) => void) {
    this.#stage = stage;
    this.#options = options;
    this.#say = say;
  }

  /** Load alone: nothing may fail. */
  async calm(): Promise<Outage> {
    const { load, tally } = this.#stage;
    tally.begin('nothing');
    this.#becomeCalm();
    load.start();
    return await this.#outage('nothing', () => this.#pause(this.#options.calm), 'from the beginning');
  }

  async kills(): Promise<Outage[]> {
    const { now, tally } = this.#stage;
    const outages: Outage[] = [];
    const end = now() + this.#options.kills;
    do {
      for (const kind of SERVICES) {
        tally.begin(`${kind} killed`);
        outages.push(await this.#outage(kind, () => this.#kill(kind), 'from the beginning'));
        tally.killed(kind);
      }
    } while (now() < end);
    await this.#settle('the kills');
    return outages;
  }

  async faults(): Promise<Outage[]> {
    const { infrastructure, s3, tally } = this.#stage;
    const { away, faults, settlesEach } = this.#options;
    const outages: Outage[] = [];
    const chosen = FAULTS.filter(({ name }) => faults.includes(name));
    for (const fault of chosen) {
      tally.begin(fault.name);
      const befall = (one: Fault) => one.befall({ infrastructure, s3, away });
      outages.push(await this.#outage(fault.name, () => befall(fault), 'from the end'));
      if (settlesEach || fault === chosen.at(-1)) {
        await this.#settle(fault.name);
      }
    }
    return outages;
  }

  async #kill(kind: ServiceName): Promise<void> {
    const { chance, cluster, tally } = this.#stage;
    const pods = cluster.podsOf(kind);
    const pod = pods[(tally.counts.kills[kind] ?? 0) % pods.length] ?? chance.pick(pods);
    await pod.kill();
    await this.#pause(chance.between(300, 1_500));
    await pod.start();
  }

  async #pause(milliseconds: number): Promise<void> {
    const { signal } = this.#options;
    await pause(milliseconds, undefined, signal === undefined ? {} : { signal });
  }

  /** Something happens while all is watched, until everything goes well again. */
  async #outage(
    what: string,
    happen: () => Promise<void>,
    count: 'from the beginning' | 'from the end',
  ): Promise<Outage> {
    const { book, cacheHits, cluster, now, probes, tally } = this.#stage;
    await cacheHits.look(cluster);
    await probes.start();
    const before = book.openWindows();
    tally.latestNotification = 0;
    const since = now();
    await happen();
    const over = now();
    const from = count === 'from the beginning' ? since : over;
    await this.#watch(from, over);
    await probes.stop();
    book.check(now());
    const recovery = recoveryOf(probes.samples, from);
    const stayed = before.filter(({ isClosed }) => !isClosed).length;
    const { latestNotification } = tally;
    tally.counts.connectionsStayed += stayed;
    const delay = `notifications up to ${seconds(latestNotification)} late`;
    const back = `${what}: back after ${seconds(over - since)}`;
    this.#say(`${back}, full service ${recoveryText(recovery)}, ${delay}, ${stayed} stayed`);
    const connections = { before: before.length, stayed };
    const troubles = troublesIn(probes.samples, since);
    return { what, away: over - since, recovery, latestNotification, connections, troubles };
  }

  #becomeCalm(): void {
    if (this.#options.judgesCalm) {
      this.#stage.tally.calm();
    }
  }

  /** Recovery is counted from `since`; from `over` on, when all is back, it is waited for. */
  async #watch(since: number, over: number): Promise<void> {
    const { now, probes } = this.#stage;
    while (now() - over < LONGEST_WATCH) {
      await this.#pause(100);
      const { after, isOver } = recoveryOf(probes.samples, since);
      if (now() - since >= this.#options.watch && isOver && now() - since - after >= QUIET) {
        return;
      }
    }
  }

  /** Brings all to a stand, looks at everything, and goes on. */
  async #settle(after: string): Promise<void> {
    const { book, cacheHits, cluster, load, now, tally } = this.#stage;
    tally.begin(`after ${after}`);
    await load.stop();
    for (const problem of await load.settle(SETTLING)) {
      tally.wrongly(problem);
    }
    this.#becomeCalm();
    await load.readAll();
    for (const end = now() + ARRIVING; book.missing().length > 0 && now() < end; ) {
      await this.#pause(100);
    }
    for (const problem of book.missing()) {
      tally.wrongly(problem);
    }
    book.check(now());
    await cacheHits.look(cluster);
    const { hits, reads } = cacheHits.total;
    tally.counts.cacheHits = hits;
    tally.counts.reads = reads;
    this.#say(`all looked at after ${after}; ${tally.wrongCount} wrong`);
    load.start();
  }
}

function progressOf({ book, tally }: Stage): string {
  const { acknowledged, connectionsLost, notifications, requests, unknown } = tally.counts;
  return [
    `${tally.phase.name}: ${requests} requests, ${acknowledged} changes acknowledged, ${unknown} unknown`,
    `${notifications} notifications, ${book.openWindows().length} connections, ${connectionsLost} lost`,
    `${tally.wrongCount} wrong`,
  ].join('; ');
}

function recoveryText({ after, isOver, last }: Recovery): string {
  if (!isOver) {
    return `NOT AGAIN (${last})`;
  }
  return after === 0 ? 'all the time' : `after ${seconds(after)} (${last})`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
