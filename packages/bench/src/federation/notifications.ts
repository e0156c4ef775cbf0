/** What it costs two providers where the users of one are told of changes at the other. */
import { cpuBetween, sumOf } from '../cluster/processes.ts';
import { median } from '../load.ts';
import type { Figure } from '../report.ts';
import type { BenchUser } from '../users.ts';
import { makeWatched, tellOnce } from '../watched.ts';
import type { Providers } from './providers.ts';

export interface NotificationOptions {
  readonly author: BenchUser;
  /** Users of the other provider. */
  readonly readers: readonly BenchUser[];
  /** Notifications per round, of all readers together. */
  readonly count: number;
  /** Beside the first, which warms up. */
  readonly rounds: number;
}

export async function measureNotifications(
  { asking, answering }: Providers,
  options: NotificationOptions,
): Promise<Figure[]> {
  const { author, readers, count } = options;
  const folder = `${author.name}/watched`;
  const watched = { folder, author, readers };
  await makeWatched(watched);
  const updates = Math.max(10, Math.round(count / readers.length));
  const told = { telling: [] as number[], told: [] as number[] };
  for (let round = 0; round <= options.rounds; round++) {
    const before = [asking.cpuTimes(), answering.cpuTimes()] as const;
    const notified = await tellOnce(watched, updates, round);
    if (round > 0) {
      told.told.push(notified / sumOf(cpuBetween(before[0], asking.cpuTimes())));
      told.telling.push(notified / sumOf(cpuBetween(before[1], answering.cpuTimes())));
    }
  }
  const name = `notifications across, to ${readers.length} subscribers`;
  return [
    { name: `${name}, side of the author`, value: median(told.telling), unit: 'per CPU-second' },
    { name: `${name}, side of the readers`, value: median(told.told), unit: 'per CPU-second' },
  ];
}
