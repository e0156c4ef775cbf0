/** A file of 20 MiB written and read by a neighbour's user, and by one of the provider's own: by turns, one at a time. */
import { cpuBetween, sumOf } from '../cluster/processes.ts';
import { median } from '../load.ts';
import type { Figure } from '../report.ts';
import type { BenchUser } from '../users.ts';
import type { Wire } from '../wire.ts';
import type { Providers } from './providers.ts';

const FILE_BYTES = 20 * 1024 * 1024;
const MEGABYTE = 1_000_000;
const LEAST = 0.5;

export interface FileOptions {
  readonly guest: BenchUser;
  readonly host: BenchUser;
  /** Beside the first, which warms up. */
  readonly rounds: number;
}

interface Took {
  readonly milliseconds: number;
  /** Milliseconds of CPU per megabyte. */
  readonly asking: number;
  readonly answering: number;
}

export async function measureFiles(providers: Providers, options: FileOptions): Promise<Figure[]> {
  const { guest, host } = options;
  const resource = `${host.name}/file`;
  await host.wire.ask(`CREATE ${resource}`);
  const file = Buffer.alloc(FILE_BYTES, 'fosp');
  const figures: Figure[] = [];
  for (const [type, transfer] of [
    ['WRITE', (wire: Wire) => wire.ask(`WRITE ${resource}`, file)],
    ['READ', (wire: Wire) => read(wire, resource)],
  ] as const) {
    const own: Took[] = [];
    const across: Took[] = [];
    for (let round = 0; round <= options.rounds; round++) {
      const local = await timed(providers, () => transfer(host.wire));
      const foreign = await timed(providers, () => transfer(guest.wire));
      if (round > 0) {
        own.push(local);
        across.push(foreign);
      }
    }
    figures.push(...figuresOf(type, own, across));
  }
  return figures;
}

function figuresOf(type: string, own: readonly Took[], across: readonly Took[]): Figure[] {
  const rate = (took: readonly Took[]) =>
    FILE_BYTES / MEGABYTE / (median(took.map((each) => each.milliseconds)) / 1000);
  const cost = (took: readonly Took[], side: 'asking' | 'answering') => median(took.map((each) => each[side]));
  const local = cost(own, 'answering');
  return [
    { name: `${type} of 20 MiB, local`, value: rate(own), unit: 'MB/s' },
    {
      name: `${type} of 20 MiB across`,
      value: rate(across),
      unit: 'MB/s',
      ratio: median(own.map(({ milliseconds }, at) => milliseconds / (across[at]?.milliseconds ?? Number.NaN))),
      target: { of: 'ratio', atLeast: LEAST },
    },
    { name: 'CPU of it, local', value: local, unit: 'ms per MB' },
    ...(['asking', 'answering'] as const).map((side) => {
      const value = cost(across, side);
      return { name: `CPU of it across, ${side} side`, value, unit: 'ms per MB', ratio: value / local };
    }),
  ];
}

async function timed({ asking, answering }: Providers, transfer: () => Promise<unknown>): Promise<Took> {
  const before = [asking.cpuTimes(), answering.cpuTimes()] as const;
  const began = performance.now();
  await transfer();
  const milliseconds = performance.now() - began;
  const perMegabyte = (seconds: number) => (seconds * 1000 * MEGABYTE) / FILE_BYTES;
  return {
    milliseconds,
    asking: perMegabyte(sumOf(cpuBetween(before[0], asking.cpuTimes()))),
    answering: perMegabyte(sumOf(cpuBetween(before[1], answering.cpuTimes()))),
  };
}

async function read(wire: Wire, resource: string): Promise<void> {
  const answer = await wire.ask(`READ ${resource}`);
  if (answer.length < FILE_BYTES) {
    throw new Error(`READ gave ${answer.length} bytes`);
  }
}
