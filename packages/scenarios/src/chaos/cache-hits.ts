/** How many reads the cache answered, over all lives of all pods: asked for now and then, since a killed pod tells nothing. */
import type { Cluster } from '@fosp/testkit';

const READS = /^fosp_objects_reads_total\{cache="(hit|miss)"\} (\d+)/gm;

export class CacheHits {
  readonly #ofProcess = new Map<number, { hits: number; reads: number }>();

  async look(cluster: Cluster): Promise<void> {
    const running = cluster.podsOf('objects').filter(({ isRunning }) => isRunning);
    await Promise.all(
      running.map(async ({ process }) => {
        const text = await fetch(`${process.admin}/metrics`).then(
          (response) => response.text(),
          () => '',
        );
        const counts = new Map([...text.matchAll(READS)].map(([, cache, count]) => [cache, Number(count)]));
        const hits = counts.get('hit') ?? 0;
        if (text !== '') {
          this.#ofProcess.set(process.pid, { hits, reads: hits + (counts.get('miss') ?? 0) });
        }
      }),
    );
  }

  get total(): { readonly hits: number; readonly reads: number } {
    const all = [...this.#ofProcess.values()];
    return {
      hits: all.reduce((sum, { hits }) => sum + hits, 0),
      reads: all.reduce((sum, { reads }) => sum + reads, 0),
    };
  }
}
