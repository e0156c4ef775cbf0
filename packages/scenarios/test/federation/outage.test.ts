/** The short version of `pnpm campaign outage`. */
import { clusterInstalled } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { runOutage } from '../../src/outage/campaign.ts';

describe.skipIf(!clusterInstalled())('a domain that was away', { timeout: 300_000 }, () => {
  it('F59 F68 is told all that waited, once and in order, though who kept it was killed twice', async () => {
    const size = { notifications: 300, seconds: 8, kills: 2, trees: 6, readers: 6 };
    const { wrong, notifications, killed, queued } = await runOutage(size);
    expect(wrong).toEqual([]);
    expect(notifications).toBeGreaterThanOrEqual(300);
    expect(queued).toBe(notifications);
    expect(killed).toHaveLength(2);
  });
});
