import { constants, PerformanceObserver } from 'node:perf_hooks';
import { Inbox } from '@fosp/testkit';
import { expect, it } from 'vitest';
import { createBufferCollector } from '../src/buffer-garbage.ts';

interface Collection {
  readonly kind: number;
  readonly flags: number;
}

it('collects young objects alone, each time that so many bytes went by', async () => {
  const collections = new Inbox<Collection>('a collection');
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      // Their type does not know what entries about collections hold.
      collections.add(Reflect.get(entry, 'detail'));
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  const passed = createBufferCollector(1000);
  for (const bytes of [999, 1, 400, 400, 400, 300, 700, 999]) {
    passed(bytes);
  }
  const forced: Collection[] = [];
  while (forced.length < 3) {
    const collection = await collections.next();
    if ((collection.flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0) {
      forced.push(collection);
    }
  }
  observer.disconnect();
  expect(forced.map(({ kind }) => kind)).toEqual(Array(3).fill(constants.NODE_PERFORMANCE_GC_MINOR));
  expect('gc' in globalThis).toBe(false);
});
