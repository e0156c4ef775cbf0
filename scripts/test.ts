/**
 * `pnpm test`: types, lint and format, then every suite, and one closing line that sums them up. Steps run one after the
 * other even if one fails, so that a run tells all it can.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';

const REPORT = '.reports/vitest.json';

interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

const force = process.env['CI'] ? ['--force'] : [];

const steps: readonly Step[] = [
  { name: 'types', command: ['turbo', 'run', 'typecheck', '--ui=stream', '--output-logs=errors-only', ...force] },
  { name: 'types of the scripts', command: ['tsc', '--noEmit', '-p', 'scripts'] },
  { name: 'lint', command: ['biome', 'ci', '--colors=off', '.'] },
  {
    name: 'tests',
    command: [
      'vitest',
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${REPORT}`,
      ...process.argv.slice(2),
    ],
  },
];

function run(step: Step): boolean {
  process.stdout.write(`\n== ${step.name}: ${step.command.join(' ')}\n`);
  const [program, ...args] = step.command;
  const result = spawnSync(program, args, { stdio: 'inherit', env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1' } });
  return result.status === 0;
}

function counts(): { passed: number; failed: number; skipped: number } {
  const report: { numPassedTests: number; numFailedTests: number; numPendingTests: number } = JSON.parse(
    readFileSync(REPORT, 'utf8'),
  );
  return { passed: report.numPassedTests, failed: report.numFailedTests, skipped: report.numPendingTests };
}

mkdirSync('.reports', { recursive: true });
rmSync(REPORT, { force: true });
const failedSteps = steps.filter((step) => !run(step)).map((step) => step.name);
const { passed, failed, skipped } = counts();
process.stdout.write(failedSteps.length === 0 ? '\nAll steps passed.\n' : `\nFailed: ${failedSteps.join(', ')}\n`);
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
process.exit(failedSteps.length === 0 ? 0 : 1);
