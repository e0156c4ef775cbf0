/**
 * What users of a server feel of other domains that are dead, while others address them: its own requests, by turns at a server
 * that knows no other domain and at one that knows a thousand of these. All services are in one process here, which therefore
 * also pays for what it does about the dead: where they are processes of their own, only the federation's does.
 */
import { median, quantile, runLoad } from '../load.ts';
import type { Figure } from '../report.ts';
import { Bench } from '../setup.ts';
import type { Wire } from '../wire.ts';
import { Addressing } from './addressing.ts';
import { startDeadPlaces } from './dead-places.ts';

export interface DeadPeersScale {
  readonly domains: number;
  /** Requests of each kind, per round. */
  readonly requests: number;
  readonly rounds: number;
}

/** Requests to the dead per second, all the time. */
const ADDRESSED = 20;
/** Requests on their way at once, where not one at a time. */
const WINDOW = 8;
const OBJECTS = 500;
const IDLE_MS = 10_000;
/** Each domain is tried twice at once; after that they take turns. */
const SETTLE_MS = 30_000;
const KINDS = ['SELECT', 'UPDATE'] as const;

/** A server, and a tree at it. */
interface Place {
  readonly bench: Bench;
  readonly wire: Wire;
  readonly tree: string;
}

/** Of one round at one server. */
type Taken = Readonly<Record<(typeof KINDS)[number], { readonly latency: readonly number[]; readonly cpu: number }>>;

export interface DeadPeersReport {
  readonly figures: readonly Figure[];
  /** What those who addressed the dead were answered. */
  readonly answers: ReadonlyMap<string, number>;
}

export async function measureDeadPeers({ domains, requests, rounds }: DeadPeersScale): Promise<DeadPeersReport> {
  await using dead = await startDeadPlaces(domains);
  await using started = new AsyncDisposableStack();
  const [quiet, beset] = [await startPlace({}), await startPlace(dead.environment)];
  started.defer(() => quiet.bench.stop());
  started.defer(() => beset.bench.stop());
  const addressing = await Addressing.begin(beset.bench, dead.domains);
  await addressing.tell(beset.tree);
  await addressing.askAll();
  addressing.goOn(ADDRESSED);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const taken: { readonly quiet: Taken; readonly beset: Taken }[] = [];
  for (let round = 0; round <= rounds; round++) {
    const first = round % 2 === 0;
    const one = await take(first ? quiet : beset, requests);
    const other = await take(first ? beset : quiet, requests);
    if (round > 0) {
      taken.push(first ? { quiet: one, beset: other } : { quiet: other, beset: one });
    }
  }
  const idle = { quiet: await idleCpu(quiet), beset: await idleCpu(beset) };
  addressing.stop();
  const figures = [
    ...KINDS.flatMap((kind) => figuresOf(kind, taken)),
    { name: 'CPU while nobody asks for anything of its own', value: idle.beset * 1000, unit: 'ms per second' },
    { name: 'the same of the quiet server', value: idle.quiet * 1000, unit: 'ms per second' },
  ];
  return { figures, answers: addressing.answers };
}

async function startPlace(environment: Readonly<Record<string, string>>): Promise<Place> {
  const bench = await Bench.start(environment);
  const { wire, tree } = await bench.place();
  for (let at = 0; at < OBJECTS; at++) {
    await wire.ask(`CREATE ${tree}/n${at}`, `{"data":"${'x'.repeat(1022)}"}`);
  }
  return { bench, wire, tree };
}

async function take(place: Place, requests: number): Promise<Taken> {
  return { SELECT: await takeKind('SELECT', place, requests), UPDATE: await takeKind('UPDATE', place, requests) };
}

async function takeKind(kind: (typeof KINDS)[number], { bench, wire, tree }: Place, requests: number) {
  const latency: number[] = [];
  for (let at = 0; at < requests / 20; at++) {
    const began = performance.now();
    await wire.ask(`${kind} ${tree}/n${at % OBJECTS}`, kind === 'UPDATE' ? '{"type":"a"}' : '');
    latency.push(performance.now() - began);
  }
  const body = kind === 'UPDATE' ? '\r\n{"type":"b"}' : '';
  const { perCpuSecond } = await runLoad({
    ...{ server: bench.server, wires: bench.wires, window: WINDOW, count: requests },
    message: (index) => `${kind} ${tree}/n${index % OBJECTS} ${index + 1000}\r\n${body}`,
  });
  return { latency, cpu: 1e6 / perCpuSecond };
}

function figuresOf(
  kind: (typeof KINDS)[number],
  taken: readonly { readonly quiet: Taken; readonly beset: Taken }[],
): Figure[] {
  const compared = (name: string, unit: string, of: (each: Taken) => number): Figure => ({
    ...{ name, unit, value: median(taken.map(({ beset }) => of(beset))) },
    ratio: median(taken.map(({ quiet, beset }) => of(beset) / of(quiet))),
    target: { of: 'ratio', atMost: 1.05 },
  });
  const { target: _, ...late } = compared(`${kind} alone, 99th percentile`, 'ms', (each) =>
    quantile(each[kind].latency, 0.99),
  );
  return [
    compared(`${kind} alone, median`, 'ms', (each) => median(each[kind].latency)),
    late,
    compared(`${kind}, CPU per request`, 'µs', (each) => each[kind].cpu),
  ];
}

/** CPU seconds per second. */
async function idleCpu({ bench }: Place): Promise<number> {
  const [before, began] = [bench.server.cpuSeconds(), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  return ((bench.server.cpuSeconds() - before) * 1000) / (performance.now() - began);
}
