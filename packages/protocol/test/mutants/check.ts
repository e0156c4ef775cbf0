/** Holds the sources beside it to the oracle and to all tables; exits with 1, naming what caught them, where they are wrong. */
import process from 'node:process';
import { runTrees } from '../oracle/run.ts';
import { TABLES } from '../tables/all.ts';

const TREES = 600;

const caught: string[] = [];
try {
  runTrees(TREES, 1);
} catch {
  caught.push('oracle');
}
for (const { name, cases } of TABLES) {
  const failed = cases.filter(({ run }) => {
    try {
      run();
      return false;
    } catch {
      return true;
    }
  });
  if (failed.length > 0) {
    caught.push(`${name} (${failed.length})`);
  }
}
process.stdout.write(caught.join(', '));
process.exitCode = caught.length === 0 ? 0 : 1;
