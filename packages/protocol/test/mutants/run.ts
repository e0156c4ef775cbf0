/** `node packages/protocol/test/mutants/run.ts`: says of every mutant what caught it; fails where one was not. */
import process from 'node:process';
import { MUTANTS } from './mutants.ts';
import { runMutants } from './run-mutants.ts';

const verdicts = await runMutants(MUTANTS, ({ mutant, caughtBy }) => {
  process.stdout.write(
    `${caughtBy === undefined ? 'SURVIVED' : 'caught  '} ${mutant.why} (${caughtBy ?? mutant.file})\n`,
  );
});
const survivors = verdicts.filter(({ caughtBy }) => caughtBy === undefined);
process.stdout.write(`${verdicts.length} mutants, ${survivors.length} survived\n`);
process.exitCode = survivors.length === 0 ? 0 : 1;
