import { constants, PerformanceObserver } from 'node:perf_hooks';
import { expect, it } from 'vitest';
import { createBufferCollector } from '../src/index.ts';

interface Collection {
  readonly kind: number;
  readonly flags: number;
}

it('collects young objects alone, each time that so many bytes went by', async () => {
  const forced: Collection[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      // Their type does not know what entries about collections hold.
      const collection: Collection = Reflect.get(entry, 'detail');
      if ((collection.flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0) {
        forced.push(collection);
      }
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  const [passed, elsewhere] = [createBufferCollector(1000), createBufferCollector(1000)];
  for (const bytes of [999, 1, 400, 400, 400, 300, 700, 999]) {
    passed(bytes);
  }
  elsewhere(1);
  await expect.poll(() => forced.length).toBe(4);
  observer.disconnect();
  expect(forced.map(({ kind }) => kind)).toEqual(Array(4).fill(constants.NODE_PERFORMANCE_GC_MINOR));
  expect('gc' in globalThis).toBe(false);
});
