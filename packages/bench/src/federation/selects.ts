/**
 * What a SELECT of a neighbour's object costs both providers, beside what one of an own object costs them. By turns, so that
 * all of it meets the same load of the machine.
 */
import { type CpuTimes, cpuBetween, sumOf } from '../cluster/processes.ts';
import { median, runLoad } from '../load.ts';
import type { Figure } from '../report.ts';
import type { BenchUser } from '../users.ts';
import type { Provider, Providers } from './providers.ts';
import type { Relay } from './relay.ts';

/** Requests on their way of each user. */
const WINDOW = 4;
const MOST = 1.5;

export interface SelectOptions {
  readonly guests: readonly BenchUser[];
  readonly hosts: readonly BenchUser[];
  /** The floor, where there is one to compare with. */
  readonly relay: Relay | undefined;
  /** Of each kind, per round. */
  readonly requests: number;
  /** Beside the first, which warms up. */
  readonly rounds: number;
}

export interface SelectCosts {
  readonly figures: readonly Figure[];
  /** CPU microseconds per request, by whose request it is and by what the processes are. */
  readonly shares: ReadonlyMap<string, CpuTimes>;
}

/** CPU seconds of each kind of request in one round. */
type Round = Readonly<Record<'asking, local' | 'answering, local' | 'asking' | 'answering' | 'floor', CpuTimes>>;

export async function measureSelects(providers: Providers, options: SelectOptions): Promise<SelectCosts> {
  const rounds: Round[] = [];
  for (let round = 0; round <= options.rounds; round++) {
    const costs = await measureRound(providers, options);
    rounds.push(...(round === 0 ? [] : [costs]));
  }
  const perRequest = (kind: keyof Round) => rounds.map((costs) => (sumOf(costs[kind]) / options.requests) * 1e6);
  const figureOf = (name: string, kind: keyof Round, side: 'asking' | 'answering'): Figure => {
    const own = perRequest(`${side}, local`);
    const ratio = median(perRequest(kind).map((cost, round) => cost / (own[round] ?? Number.NaN)));
    return { name, value: median(perRequest(kind)), unit: 'µs', ratio };
  };
  const figures = (['asking', 'answering'] as const).map((side): Figure => {
    const figure = figureOf(`SELECT across, CPU of the ${side} side`, side, side);
    return { ...figure, target: { of: 'ratio', atMost: MOST } };
  });
  if (options.relay !== undefined) {
    figures.push(figureOf('floor: asking side that passes messages on, and no more', 'floor', 'asking'));
  }
  const kinds = (Object.keys(rounds[0] ?? {}) as (keyof Round)[]).filter((kind) => kind !== 'floor');
  const shares = kinds.map((kind) => [kind, meanOf(rounds, kind, options.requests)] as const);
  return { figures, shares: new Map(shares) };
}

async function measureRound({ asking, answering }: Providers, options: SelectOptions): Promise<Round> {
  const { guests, hosts, relay, requests } = options;
  const guestsOwn = await timesOf([asking], { ...options, users: guests, trees: guests });
  const hostsOwn = await timesOf([answering], { ...options, users: hosts, trees: hosts });
  const across = await timesOf([asking, answering], { ...options, users: guests, trees: hosts });
  return {
    'asking, local': guestsOwn[0] ?? new Map(),
    asking: across[0] ?? new Map(),
    'answering, local': hostsOwn[0] ?? new Map(),
    answering: across[1] ?? new Map(),
    floor: (await relay?.pass(requests, WINDOW)) ?? new Map(),
  };
}

interface Asked {
  readonly users: readonly BenchUser[];
  /** Whose object each of them selects. */
  readonly trees: readonly BenchUser[];
  readonly requests: number;
}

async function timesOf(providers: readonly Provider[], { users, trees, requests }: Asked): Promise<CpuTimes[]> {
  const before = providers.map((provider) => provider.cpuTimes());
  await runLoad({
    server: { cpuSeconds: () => 0 },
    wires: users.map(({ wire }) => wire),
    window: WINDOW,
    count: requests,
    message: (index, at) => `SELECT ${trees[at]?.name}/a/b/c ${index + 1000}\r\n`,
  });
  return providers.map((provider, at) => cpuBetween(before[at] ?? new Map(), provider.cpuTimes()));
}

function meanOf(rounds: readonly Round[], kind: keyof Round, requests: number): CpuTimes {
  const names = [...(rounds[0]?.[kind].keys() ?? [])];
  const mean = (name: string) => rounds.reduce((sum, costs) => sum + (costs[kind].get(name) ?? 0), 0) / rounds.length;
  return new Map(names.map((name) => [name, (mean(name) / requests) * 1e6]));
}
