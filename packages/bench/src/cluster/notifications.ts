/** UPDATEs of objects in a folder to which others have subscribed, from the change to the last of them told. */
import { median, rateOf, runLoad } from '../load.ts';
import type { Figure } from '../report.ts';
import type { Scale } from '../setup.ts';
import type { BenchUser } from '../users.ts';
import type { ClusterBench } from './setup.ts';

const OBJECTS = 100;
const WINDOW = 8;

export async function measureNotifications(
  bench: ClusterBench,
  {
    author,
    readers,
    scale,
  }: { readonly author: BenchUser; readonly readers: readonly BenchUser[]; readonly scale: Scale },
): Promise<Figure> {
  const folder = `${author.name}/watched${readers.length}`;
  const entries = readers.map(({ name }) => [name, { events: ['updated'], depth: 1 }]);
  const subscriptions = Object.fromEntries(entries);
  await author.wire.ask(`CREATE ${folder}`, JSON.stringify({ acl: { other: ['read-data'] }, subscriptions }));
  for (let at = 0; at < OBJECTS; at++) {
    await author.wire.ask(`CREATE ${folder}/n${at}`, '{"data":""}');
  }
  const updates = Math.max(50, Math.round(scale.requests / 4 / readers.length));
  const rates: number[] = [];
  for (let round = 0; round <= scale.rounds; round++) {
    const { perCpuSecond } = await tell(bench, { author, readers, folder, updates, round });
    rates.push(...(round === 0 ? [] : [perCpuSecond]));
  }
  return { name: `notifications to ${readers.length} subscribers`, value: median(rates), unit: 'per CPU-second' };
}

interface Telling {
  readonly author: BenchUser;
  readonly readers: readonly BenchUser[];
  readonly folder: string;
  readonly updates: number;
  readonly round: number;
}

async function tell(bench: ClusterBench, { author, readers, folder, updates, round }: Telling) {
  const expected = updates * readers.length;
  let delivered = 0;
  const all = Promise.withResolvers<void>();
  for (const { wire } of readers) {
    wire.onMessage = () => {
      if (++delivered === expected) {
        all.resolve();
      }
    };
  }
  const cpu = bench.cpuSeconds();
  const began = performance.now();
  const filler = 'x'.repeat(1000);
  await runLoad({
    server: bench,
    wires: [author.wire],
    window: WINDOW,
    count: updates,
    message: (index) =>
      `UPDATE ${folder}/n${index % OBJECTS} ${index + 1000}\r\n\r\n{"data":"${round}-${index}${filler}"}`,
  });
  await all.promise;
  return rateOf(expected, bench.cpuSeconds() - cpu, performance.now() - began);
}
