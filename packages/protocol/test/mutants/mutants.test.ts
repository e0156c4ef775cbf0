import { expect, it } from 'vitest';
import { MUTANTS } from './mutants.ts';
import { runMutants } from './run-mutants.ts';

it('F44 F45 F46 F51 F54 a fault in any rule is noticed', async () => {
  const verdicts = await runMutants(MUTANTS, () => undefined);
  const survivors = verdicts.filter(({ caughtBy }) => caughtBy === undefined);
  expect(survivors.map(({ mutant }) => mutant.why)).toEqual([]);
  // A mutant that does not even start shows nothing.
  expect(verdicts.filter(({ caughtBy }) => caughtBy === 'its start')).toEqual([]);
}, 300_000);
