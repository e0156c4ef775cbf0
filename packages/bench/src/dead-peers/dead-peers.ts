/**
 * What users of a server feel of other domains that are dead, while others address them: its own requests, by turns at two
 * places that know no other domain and at one that knows a thousand of these. What the two differ by is what can be told apart
 * here at all. In a single server all services are in one process, which therefore also pays for what it does about the dead;
 * in a cluster the federation's process alone should.
 */
import { type CpuTimes, cpuBetween } from '../cluster/processes.ts';
import { median, quantile } from '../load.ts';
import type { Figure } from '../report.ts';
import { Addressing } from './addressing.ts';
import { startDeadPlaces } from './dead-places.ts';
import { type Place, type PlaceKind, startPlaces } from './places.ts';
import { KINDS, type Kind, ownersOf, type Turn, type TurnScale, takeTurns, warmUp } from './turns.ts';

export interface DeadPeersScale extends TurnScale {
  readonly kind: PlaceKind;
  readonly domains: number;
  /** Beside the first. */
  readonly rounds: number;
  /** Seconds after the dead were addressed first: each of them is tried three times soon, after that they take turns. */
  readonly settleSeconds: number;
  readonly idleSeconds: number;
}

/** Requests to the dead per second, all the time. */
const ADDRESSED = 20;
const MOST = 1.05;

export interface DeadPeersReport {
  readonly figures: readonly Figure[];
  /** What those who addressed the dead were answered. */
  readonly answers: ReadonlyMap<string, number>;
}

/** What was taken in one round at the one beside the dead, and at two that are not. */
interface Compared<Taken> {
  readonly beset: Taken;
  readonly quiet: Taken;
  readonly alike: Taken;
}

type Round = Compared<Turn>;

export async function measureDeadPeers(scale: DeadPeersScale): Promise<DeadPeersReport> {
  await using dead = await startDeadPlaces(scale.domains);
  await using places = await startPlaces(scale.kind, dead.environment);
  const { beset, quiet } = places;
  const addressing = await Addressing.begin(beset, dead.domains);
  try {
    await addressing.tell(beset.tree);
    await addressing.askAll();
    addressing.goOn(ADDRESSED);
    await seconds(scale.settleSeconds);
    const rounds = await takeRounds([beset, ...quiet], scale);
    const addressed = await idleCpu([beset, quiet[0]], scale.idleSeconds);
    addressing.stop();
    const left = await idleCpu([beset, quiet[0]], scale.idleSeconds);
    const figures = [
      ...KINDS.flatMap((kind) => [...latencyFigures(kind, rounds), ...costFigures(kind, rounds, addressed)]),
      ...idleFigures('while others address the dead', addressed),
      ...idleFigures('while nobody asks for anything', left),
    ];
    return { figures, answers: addressing.answers };
  } finally {
    addressing.stop();
  }
}

async function takeRounds(places: readonly Place[], scale: DeadPeersScale): Promise<Round[]> {
  const rounds: Round[] = [];
  await warmUp(places, scale);
  // The first one still warms up.
  for (let round = 0; round <= scale.rounds; round++) {
    const [beset, quiet, alike] = await takeTurns(places, round, scale);
    if (beset !== undefined && quiet !== undefined && alike !== undefined && round > 0) {
      rounds.push({ beset, quiet, alike });
    }
  }
  return rounds;
}

const TARGET = { of: 'ratio', atMost: MOST } as const;

function latencyFigures(kind: Kind, rounds: readonly Round[]): Figure[] {
  const alone = (turn: Turn) => median(turn[kind].latency);
  const late = (turn: Turn) => quantile(turn[kind].latency, 0.99);
  return [
    { ...compared(rounds, alone), name: `${kind} alone, median`, unit: 'ms', target: TARGET },
    { ...alike(rounds, alone), name: 'of two quiet ones', unit: 'ms' },
    { ...compared(rounds, late), name: `${kind} alone, 99th percentile`, unit: 'ms' },
    { ...alike(rounds, late), name: 'of two quiet ones', unit: 'ms' },
  ];
}

/**
 * CPU of the requests alone: what goes on anyway while they are answered is a figure of its own, and would count the more the
 * busier the machine is with other things.
 */
function costFigures(kind: Kind, rounds: readonly Round[], addressed: readonly CpuTimes[]): Figure[] {
  const [ofBeset = 0, ofQuiet = 0] = addressed.map(ownersOf);
  const cost = (turn: Turn, anyway: number) => {
    const { count, cpu, clock } = turn[kind].together;
    return ((cpu - anyway * clock) / count) * 1e6;
  };
  const costs = rounds.map(({ beset, quiet, alike: other }) => ({
    ...{ beset: cost(beset, ofBeset), quiet: cost(quiet, ofQuiet), alike: cost(other, ofQuiet) },
  }));
  const own = (each: number) => each;
  return [
    { ...compared(costs, own), name: `${kind}, CPU per request`, unit: 'µs', target: TARGET },
    { ...alike(costs, own), name: 'of two quiet ones', unit: 'µs' },
  ];
}

/** The one beside the dead with the mean of the two that are not, round by round. */
function compared<Taken>(rounds: readonly Compared<Taken>[], of: (taken: Taken) => number) {
  const ratios = rounds.map((round) => (2 * of(round.beset)) / (of(round.quiet) + of(round.alike)));
  return { value: median(rounds.map(({ beset }) => of(beset))), ratio: median(ratios) };
}

function alike<Taken>(rounds: readonly Compared<Taken>[], of: (taken: Taken) => number) {
  const ratios = rounds.map((round) => of(round.alike) / of(round.quiet));
  return { value: median(rounds.map((round) => of(round.alike))), ratio: median(ratios) };
}

/** CPU seconds per second, of each place in the same time. */
async function idleCpu(places: readonly Place[], idleSeconds: number): Promise<CpuTimes[]> {
  const [before, began] = [places.map((place) => place.cpuTimes()), performance.now()];
  await seconds(idleSeconds);
  const passed = (performance.now() - began) / 1000;
  return places.map((place, at) => {
    const times = cpuBetween(before[at] ?? new Map(), place.cpuTimes());
    return new Map(Array.from(times, ([name, used]) => [name, used / passed]));
  });
}

function idleFigures(when: string, [beset = new Map(), quiet = new Map()]: readonly CpuTimes[]): Figure[] {
  const figure = (what: string, times: CpuTimes, of: (times: CpuTimes) => number): Figure => ({
    ...{ name: `CPU of ${what} ${when}`, value: of(times) * 1000, unit: 'ms per second' },
  });
  const ofFederation = (times: CpuTimes) => times.get('federation') ?? 0;
  return [
    figure('the beset', beset, ownersOf),
    figure('the quiet', quiet, ownersOf),
    ...(beset.has('federation')
      ? [
          figure('federation beside those', beset, ofFederation),
          figure('the quiet one’s federation', quiet, ofFederation),
        ]
      : []),
  ];
}

function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1000));
}
