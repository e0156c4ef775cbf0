/** The short version of `pnpm chaos`: each kind of pod killed once, each server under them away once, everything looked at. */
import { clusterInstalled } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { runChaos } from '../../src/chaos/campaign.ts';
import { FAULTS } from '../../src/chaos/faults.ts';
import { lacking, report } from '../../src/chaos/report.ts';

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
    const page = report(result, { seed, isJson: false });
    expect(result.tally.wrong, page).toEqual([]);
    expect(lacking(result), page).toEqual([]);
    // How soon is a matter of the machine, and judged by the campaign.
    for (const { what, recovery } of [...result.kills, ...result.faults]) {
      expect(recovery.isOver, `${what}: no full service again\n${page}`).toBe(true);
    }
    expect(result.kills).toHaveLength(5);
    expect(result.faults).toHaveLength(FAULTS.length);
  });
});
