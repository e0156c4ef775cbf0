import { spawnSync } from 'node:child_process';

/**
 * Is this program here? Tests that need it are left out where it is not, with a sentence that says so; unless the run
 * says that nothing may be left out (`FOSP_TEST_REQUIRE_INFRASTRUCTURE=1`): then this is true, and they fail.
 */
export function installed(program: string, versionArgument = '--version'): boolean {
  // biome-ignore lint/style/noProcessEnv: tests have no configuration of their own.
  if (process.env['FOSP_TEST_REQUIRE_INFRASTRUCTURE'] === '1') {
    return true;
  }
  const there = spawnSync(program, [versionArgument]).status === 0;
  if (!there) {
    process.stderr.write(`Tests that need ${program} are left out: it is not installed here.\n`);
  }
  return there;
}
