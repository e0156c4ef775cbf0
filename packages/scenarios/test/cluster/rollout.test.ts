/** The short version of `pnpm campaign rollout`: it judges what happens, not how soon. */
import { clusterInstalled } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { runRollout } from '../../src/rollout/campaign.ts';

const SIZES = { connections: 200, workers: 4, passwords: 8, gateways: 2, processes: 1, balancers: 1 };

describe.skipIf(!clusterInstalled())('all gateways replaced one by one, and one killed', () => {
  it('F31 F55 F68 brings every session back, with what it waited for, without a password hashed for its token', {
    timeout: 600_000,
  }, async () => {
    const lines: string[] = [];
    const outcome = await runRollout({
      ...SIZES,
      rest: 200,
      environment: {
        FOSP_HASH_MEMORY: '1 MiB',
        // Fewer than come back at once, so that some wait.
        FOSP_LIMIT_ARRIVALS_PER_SECOND: '50',
        FOSP_LIMIT_ARRIVALS_WAITING: '1000',
        // Time enough for the balancer to see that a gateway is about to go, on a busy machine too.
        FOSP_DRAIN_NOTICE_SECONDS: '3',
        FOSP_DRAIN_SECONDS: '60',
      },
      calm: 0,
      progress: (line) => lines.push(line),
    });
    const page = lines.join('\n');
    expect(outcome.wrong, page).toEqual([]);
    const { killed, replaced } = outcome;
    expect(replaced, page).toHaveLength(SIZES.gateways);
    const all = [...replaced, killed];
    const hashed = all.reduce((sum, { gateways }) => sum + gateways.counts.hashed, 0);
    const lost = all.reduce((sum, comeback) => sum + comeback.lost, 0);
    // Each of the first two gateways had half of all, and was left by them; by then the third had some.
    expect(lost, page).toBeGreaterThanOrEqual(SIZES.connections - SIZES.workers - SIZES.passwords);
    expect(hashed, page).toBeLessThan(lost / 2);
    expect(outcome.notifications, page).toBeGreaterThan(0);
  });
});
