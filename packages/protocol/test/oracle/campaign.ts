/**
 * The long comparison: `node packages/protocol/test/oracle/campaign.ts --trees 1000000 --seed 1`. Prints what it met, and
 * fails where server and oracle differ or where a rule never decided anything.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { runTrees } from './run.ts';
import { missing } from './statistics.ts';

const { values } = parseArgs({
  options: { trees: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
});
const trees = Number(values.trees);
const seed = Number(values.seed);
const started = performance.now();
const statistics = runTrees(trees, seed);
const width = Math.max(...Array.from(statistics.keys(), (name) => name.length));
for (const [name, count] of statistics) {
  process.stdout.write(`${name.padEnd(width)} ${String(count).padStart(12)}\n`);
}
const never = missing(statistics);
process.stdout.write(
  `${trees} trees from seed ${seed}, ${Math.round((performance.now() - started) / 1000)} s, no difference\n`,
);
if (never.length > 0) {
  process.stdout.write(`never met: ${never.join('; ')}\n`);
  process.exitCode = 1;
}
