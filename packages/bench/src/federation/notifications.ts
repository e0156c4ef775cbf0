/** UPDATEs of objects to which a neighbour's users have subscribed, from the change to the last of them told. */
import { cpuBetween, sumOf } from '../cluster/processes.ts';
import { median, runLoad } from '../load.ts';
import type { Figure } from '../report.ts';
import type { BenchUser } from '../users.ts';
import type { Providers } from './providers.ts';

const OBJECTS = 100;
const WINDOW = 8;

export interface NotificationOptions {
  readonly author: BenchUser;
  /** Users of the other provider. */
  readonly readers: readonly BenchUser[];
  /** Notifications per round, of all readers together. */
  readonly count: number;
  /** Beside the first, which warms up. */
  readonly rounds: number;
}

export async function measureNotifications(providers: Providers, options: NotificationOptions): Promise<Figure[]> {
  const { author, readers, count } = options;
  const folder = `${author.name}/watched`;
  const entries = readers.map(({ name }) => [name, { events: ['updated'], depth: 1 }]);
  const subscriptions = Object.fromEntries(entries);
  await author.wire.ask(`CREATE ${folder}`, JSON.stringify({ acl: { other: ['read-data'] }, subscriptions }));
  for (let at = 0; at < OBJECTS; at++) {
    await author.wire.ask(`CREATE ${folder}/n${at}`, '{"data":""}');
  }
  const updates = Math.max(10, Math.round(count / readers.length));
  const told = { telling: [] as number[], told: [] as number[] };
  for (let round = 0; round <= options.rounds; round++) {
    const rates = await tell(providers, { author, readers, folder, updates, round });
    told.telling.push(...(round === 0 ? [] : [rates.answering]));
    told.told.push(...(round === 0 ? [] : [rates.asking]));
  }
  const name = `notifications across, to ${readers.length} subscribers`;
  return [
    { name: `${name}, side of the author`, value: median(told.telling), unit: 'per CPU-second' },
    { name: `${name}, side of the readers`, value: median(told.told), unit: 'per CPU-second' },
  ];
}

interface Telling {
  readonly author: BenchUser;
  readonly readers: readonly BenchUser[];
  readonly folder: string;
  readonly updates: number;
  readonly round: number;
}

async function tell(
  { asking, answering }: Providers,
  { author, readers, folder, updates, round }: Telling,
): Promise<{ readonly asking: number; readonly answering: number }> {
  const expected = updates * readers.length;
  const all = Promise.withResolvers<void>();
  let delivered = 0;
  for (const { wire } of readers) {
    wire.onMessage = () => {
      if (++delivered === expected) {
        all.resolve();
      }
    };
  }
  const before = [asking.cpuTimes(), answering.cpuTimes()] as const;
  const filler = 'x'.repeat(1000);
  await runLoad({
    server: { cpuSeconds: () => 0 },
    wires: [author.wire],
    window: WINDOW,
    count: updates,
    message: (index) =>
      `UPDATE ${folder}/n${index % OBJECTS} ${index + 1000}\r\n\r\n{"data":"${round}-${index}${filler}"}`,
  });
  await all.promise;
  return {
    asking: expected / sumOf(cpuBetween(before[0], asking.cpuTimes())),
    answering: expected / sumOf(cpuBetween(before[1], answering.cpuTimes())),
  };
}
