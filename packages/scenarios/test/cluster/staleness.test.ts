/** The short version of `pnpm campaign staleness`. */
import { clusterInstalled } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { runStaleness } from '../../src/staleness/campaign.ts';

const READS = 5_000;

describe.skipIf(!clusterInstalled())('two object pods and a lossy, laggy, now and then flushed Redis', () => {
  it('F42 F46 show nothing by a right whose revocation was acknowledged', { timeout: 180_000 }, async () => {
    const { reads, refused, writes, pods, troubles, wrong } = await runStaleness({ reads: READS, seed: 'short' });
    expect(wrong).toEqual([]);
    expect(reads).toBeGreaterThanOrEqual(READS);
    // How many of each is a matter of the machine's speed.
    expect(Math.min(refused, reads - refused)).toBeGreaterThan(0);
    expect(Math.min(...Object.values(writes), ...Object.values(troubles))).toBeGreaterThan(0);
    expect(pods.reduce((sum, { hits }) => sum + hits, 0)).toBeGreaterThan(0);
  });
});
