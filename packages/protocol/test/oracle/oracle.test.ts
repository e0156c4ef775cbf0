import { expect, it } from 'vitest';
import { runTrees } from './run.ts';
import { missing } from './statistics.ts';

/** Some seconds' worth; `campaign.ts` runs as many as one likes. */
const TREES = 5000;

it('F43 F44 F45 F46 F47 F51 F53 F54 F57 decides everything as the draft, read word for word, does', () => {
  const statistics = runTrees(TREES, 1);
  expect(missing(statistics), 'rules that decided nothing').toEqual([]);
});
