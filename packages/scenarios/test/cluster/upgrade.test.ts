/**
 * The short version of `pnpm campaign upgrade`: this checkout is the older version too, so that it needs no history; the newer
 * one has migrations that the older one does not know.
 */
import { join } from 'node:path';
import { clusterInstalled, temporaryDirectory } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { runUpgrade } from '../../src/upgrade/campaign.ts';
import { breakingBetween, commitOf, releaseOfCheckout, withTrialMigrations } from '../../src/upgrade/releases.ts';

const SERVICES = 5;

describe.skipIf(!clusterInstalled())('a cluster brought to a newer version and back while users work', () => {
  it('F31 F55 F68 loses nothing, with columns added and an index built meanwhile', { timeout: 900_000 }, async () => {
    await using directory = await temporaryDirectory();
    const old = await releaseOfCheckout(join(directory.path, 'old'));
    const fresh = await withTrialMigrations(old, join(directory.path, 'fresh'));
    expect(await breakingBetween(old, fresh)).toEqual([]);
    const lines: string[] = [];
    const outcome = await runUpgrade({
      ...{ old, fresh, seed: 'wonderland', goesBack: true },
      clients: 20,
      pace: { from: 100, to: 400 },
      replicas: 1,
      calm: 0,
      // How much a busy machine can do at once is judged by the campaign.
      judgesCalm: false,
      fsync: 'off',
      progress: (line) => lines.push(line),
    });
    const page = [...lines, JSON.stringify(outcome)].join('\n');
    expect(outcome.wrong, page).toEqual([]);
    expect(outcome.migrated, page).toBe('Migrated: trial-columns, trial-index.');
    expect(outcome.replaced, page).toBe(2 * SERVICES);
    expect(outcome.acknowledged, page).toBeGreaterThan(0);
  });
});

it('a commit that is not there is said to be so, with what to do', async () => {
  await expect(commitOf('no-such-commit')).rejects.toThrow(/no no-such-commit in this clone.*git fetch --unshallow/);
});
