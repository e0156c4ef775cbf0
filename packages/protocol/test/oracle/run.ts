/** Compares many random trees with the oracle. A failure names the seed that shows it alone, and the tree. */
import { compareTree } from './compare.ts';
import { randomOf, randomTree } from './random-tree.ts';
import { newStatistics, type Statistics } from './statistics.ts';

/** @throws where server and oracle differ */
export function runTrees(trees: number, firstSeed: number): Statistics {
  const statistics = newStatistics();
  for (let seed = firstSeed; seed < firstSeed + trees; seed++) {
    const tree = randomTree(randomOf(seed));
    try {
      compareTree(tree, statistics);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      throw new Error(`${problem}\nseed ${seed}: ${JSON.stringify(tree)}`, { cause: error });
    }
  }
  return statistics;
}
