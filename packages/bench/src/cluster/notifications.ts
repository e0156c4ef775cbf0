/** What it costs a cluster to tell its users of changes. */
import { median, rateOf } from '../load.ts';
import type { Figure } from '../report.ts';
import type { Scale } from '../setup.ts';
import type { BenchUser } from '../users.ts';
import { makeWatched, tellOnce } from '../watched.ts';
import type { ClusterBench } from './setup.ts';

export async function measureNotifications(
  bench: ClusterBench,
  {
    author,
    readers,
    scale,
  }: { readonly author: BenchUser; readonly readers: readonly BenchUser[]; readonly scale: Scale },
): Promise<Figure> {
  const folder = `${author.name}/watched${readers.length}`;
  const watched = { folder, author, readers };
  await makeWatched(watched);
  const updates = Math.max(50, Math.round(scale.requests / 4 / readers.length));
  const rates: number[] = [];
  for (let round = 0; round <= scale.rounds; round++) {
    const cpu = bench.cpuSeconds();
    const began = performance.now();
    const told = await tellOnce(watched, updates, round);
    const { perCpuSecond } = rateOf(told, bench.cpuSeconds() - cpu, performance.now() - began);
    rates.push(...(round === 0 ? [] : [perCpuSecond]));
  }
  return { name: `notifications to ${readers.length} subscribers`, value: median(rates), unit: 'per CPU-second' };
}
