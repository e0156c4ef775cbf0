import { expect, it } from 'vitest';
import { createMemoryCache } from '../src/index.ts';
import { interleave, type Tally } from './interleaving.ts';

it('F42 F46 shows nothing older than what was acknowledged', async () => {
  const tally: Tally = { reads: 0, overtaken: 0, hits: 0 };
  for (let seed = 0; seed < 60; seed++) {
    await interleave({ seed, cache: createMemoryCache() }, tally);
  }
  expect(tally.reads).toBeGreaterThan(3_000);
  // How many is a matter of the machine's speed.
  expect(Math.min(tally.overtaken, tally.hits)).toBeGreaterThan(0);
});
