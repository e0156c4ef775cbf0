/** The short version of `pnpm chaos`: each kind of pod killed once, each server under them away once, everything looked at. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { clusterInstalled } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { runChaos } from '../../src/chaos/campaign.ts';
import { FAULTS } from '../../src/chaos/faults.ts';
import { lacking, report } from '../../src/chaos/report.ts';

const MAIN = fileURLToPath(new URL('../../src/chaos/main.ts', import.meta.url));
const seed = new Date().toISOString();

describe.skipIf(!clusterInstalled())('a cluster whose pods are killed and whose servers go away', () => {
  it('F28 F31 F55 F58 F68 loses no acknowledged write and no notification, and names its errors', {
    timeout: 900_000,
  }, async () => {
    const result = await runChaos({
      seed,
      clients: 60,
      pace: { from: 100, to: 400 },
      replicas: {},
      // How much a busy machine can do at once is judged by the campaign.
      judgesCalm: false,
      probeInterval: 500,
      fsync: 'off',
      calm: 2_000,
      kills: 0,
      watch: 3_000,
      away: 2_000,
      faults: FAULTS.map(({ name }) => name),
      settlesEach: false,
      progress: () => undefined,
    });
    const lacks = lacking(result, { withFaults: true, isShort: true });
    const page = report(result, { seed, isJson: false, lacks });
    expect(result.tally.wrong, page).toEqual([]);
    expect(lacks, page).toEqual([]);
    // How soon is a matter of the machine, and judged by the campaign.
    for (const { what, recovery } of [...result.kills, ...result.faults]) {
      expect(recovery.isOver, `${what}: no full service again\n${page}`).toBe(true);
    }
    expect(result.kills).toHaveLength(5);
    expect(result.faults).toHaveLength(FAULTS.length);
  });
});

describe('the arguments of pnpm chaos', () => {
  it.each([
    [['--minutes', 'many'], '--minutes takes a number, not "many"'],
    [['--minutes=-1'], '--minutes takes a number, not "-1"'],
    [['--clients', '1.5'], '--clients takes a whole number, not "1.5"'],
    [['--pause', '650-150'], '--pause takes milliseconds, from and to, such as 150-650, not "650-150"'],
    [['--faults', 'Redis killed,Redis gone'], '--faults knows no "Redis gone"; there are Redis flushed'],
    [['--minuets', '1'], '--minuets'],
  ])('%j make no sense: exit 2 and a sentence', async (args, sentence) => {
    const [code, output] = await new Promise<[unknown, string]>((resolve) => {
      execFile(process.execPath, [MAIN, ...args], (error, _, errors) => resolve([error?.code, errors]));
    });
    expect(output).toContain(sentence);
    expect(output).not.toContain('    at ');
    expect(code).toBe(2);
  });
});
