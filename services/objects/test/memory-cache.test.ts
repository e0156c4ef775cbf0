import { createMemoryCache } from '../src/index.ts';
import { cacheSuite } from '../suite/index.ts';

cacheSuite(async () => {
  const cache = createMemoryCache();
  return { ends: [cache, cache], [Symbol.asyncDispose]: async () => undefined };
});
