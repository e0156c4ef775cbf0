/** What the way through a cluster adds to a request that is alone, over the same in one process. */
import { median } from '../load.ts';
import type { Figure } from '../report.ts';
import type { Wire } from '../wire.ts';

const BATCH = 100;

export interface Place {
  readonly wire: Wire;
  readonly tree: string;
}

/** By turns, so that both meet the same load of the machine. */
export async function measureAddedLatency(standalone: Place, cluster: Place, count: number): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const kind of ['SELECT', 'UPDATE'] as const) {
    const alone: number[] = [];
    const together: number[] = [];
    for (let done = 0; done < count; done += BATCH) {
      alone.push(...(await timesOf(standalone, kind)));
      together.push(...(await timesOf(cluster, kind)));
    }
    const name = `added to a lone ${kind}, median`;
    const value = median(together) - median(alone);
    const target = kind === 'SELECT' ? { target: { of: 'value', atMost: 1.5 } as const } : {};
    figures.push({ name: `a lone ${kind} in one process, median`, value: median(alone), unit: 'ms' });
    figures.push({ name, value, unit: 'ms', ...target });
  }
  return figures;
}

async function timesOf({ wire, tree }: Place, kind: 'SELECT' | 'UPDATE'): Promise<number[]> {
  const times: number[] = [];
  for (let at = 0; at < BATCH; at++) {
    const began = performance.now();
    await (kind === 'SELECT'
      ? wire.ask(`SELECT ${tree}/a/b/c`)
      : wire.ask(`UPDATE ${tree}/a/b/c`, `{"data":"${at} ${began}"}`));
    times.push(performance.now() - began);
  }
  return times;
}
