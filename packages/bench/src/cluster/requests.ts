/** Requests of many users through the load balancer, per CPU-second of all processes together, and where the time goes. */
import { median, runLoad } from '../load.ts';
import type { Figure } from '../report.ts';
import type { Floor, Scale } from '../setup.ts';
import { type BenchUser, ONE_KIB } from '../users.ts';
import { type CpuTimes, cpuBetween, sumOf } from './processes.ts';
import type { ClusterBench } from './setup.ts';

/** Requests on their way of each user. */
const WINDOW = 4;
/** Objects that a user's UPDATEs are spread over. */
const OBJECTS = 20;

interface Kind {
  readonly name: string;
  readonly atLeast: number;
  readonly message: (tree: string, index: number, round: number) => string;
}

const KINDS: readonly Kind[] = [
  {
    name: 'SELECT',
    atLeast: 6_000,
    message: (tree, index) => `SELECT ${tree}/a/b/c ${index + 1000}\r\n`,
  },
  {
    name: 'CREATE',
    atLeast: 2_000,
    message: (tree, index, round) => `CREATE ${tree}/a/b/n${round}-${index} ${index + 1000}\r\n\r\n{"data":${ONE_KIB}}`,
  },
  {
    name: 'UPDATE',
    atLeast: 2_000,
    message: (tree, index, round) =>
      `UPDATE ${tree}/a/b/u${index % OBJECTS} ${index + 1000}\r\n\r\n{"data":"${round}-${index}${'x'.repeat(1000)}"}`,
  },
];

export interface RequestCosts {
  readonly figures: readonly Figure[];
  /** CPU microseconds per request, by kind and by what the processes are. */
  readonly shares: ReadonlyMap<string, CpuTimes>;
}

export async function measureRequests(
  bench: ClusterBench,
  users: readonly BenchUser[],
  { floor, scale }: { readonly floor: Floor; readonly scale: Scale },
): Promise<RequestCosts> {
  for (const { name, wire } of users) {
    await Promise.all(Array.from({ length: OBJECTS }, (_, at) => wire.ask(`CREATE ${name}/a/b/u${at}`, '{"data":""}')));
  }
  const figures: Figure[] = [];
  const shares = new Map<string, CpuTimes>();
  for (const kind of KINDS) {
    const rounds = [];
    for (let round = 0; round <= scale.rounds; round++) {
      const echoes = await floor.run(scale.requests);
      const before = bench.cpuTimes();
      await runLoad({
        server: bench,
        wires: users.map(({ wire }) => wire),
        window: WINDOW,
        count: scale.requests,
        message: (index, at) => kind.message(users[at]?.name ?? '', index, round),
      });
      const times = cpuBetween(before, bench.cpuTimes());
      // The first one only warms up.
      rounds.push(...(round === 0 ? [] : [{ echoes, times, perCpuSecond: scale.requests / sumOf(times) }]));
    }
    const ratio = median(rounds.map(({ echoes, perCpuSecond }) => perCpuSecond / echoes.perCpuSecond));
    const value = median(rounds.map(({ perCpuSecond }) => perCpuSecond));
    const target = { of: 'value', atLeast: kind.atLeast } as const;
    figures.push({ name: `${kind.name}, 1 KiB at depth 3`, value, unit: 'per CPU-second', ratio, target });
    shares.set(
      kind.name,
      shareOf(
        rounds.map(({ times }) => times),
        scale.requests,
      ),
    );
  }
  return { figures, shares };
}

/** Microseconds per request, of the median round each. */
function shareOf(rounds: readonly CpuTimes[], requests: number): CpuTimes {
  const names = [...(rounds[0]?.keys() ?? [])];
  return new Map(
    names.map((name) => [name, (median(rounds.map((times) => times.get(name) ?? 0)) / requests) * 1e6] as const),
  );
}

/** A Markdown table of what each kind of request costs whom. */
export function sharesTable(shares: RequestCosts['shares']): string {
  const kinds = [...shares.keys()];
  const names = [...new Set([...shares.values()].flatMap((times) => [...times.keys()]))];
  const rows = names.map((name) => {
    const cells = kinds.map((kind) => Math.round(shares.get(kind)?.get(name) ?? 0));
    return `| ${name} | ${cells.join(' | ')} |`;
  });
  const sums = kinds.map((kind) => Math.round(sumOf(shares.get(kind) ?? new Map())));
  return [
    `| µs of CPU per request | ${kinds.join(' | ')} |`,
    `| --- |${' --- |'.repeat(kinds.length)}`,
    ...rows,
    `| all | ${sums.join(' | ')} |`,
  ].join('\n');
}
