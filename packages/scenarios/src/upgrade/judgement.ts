/** The long version of an upgrade: from a commit to this checkout, and back. */
import { join } from 'node:path';
import { runUpgrade } from './campaign.ts';
import { breakingBetween, commitOf, releaseOfCheckout, releaseOfCommit, withTrialMigrations } from './releases.ts';

export interface UpgradeAsked {
  /** The commit to come from. */
  readonly from: string;
  /** For what is built. */
  readonly directory: string;
  readonly seed: string;
}

export async function upgradeOutcome({
  from,
  directory,
  seed,
}: UpgradeAsked): Promise<{ counted: Readonly<Record<string, unknown>>; wrong: readonly string[] }> {
  const began = performance.now();
  const progress = (line: string) => {
    process.stderr.write(`${((performance.now() - began) / 1000).toFixed(1)} s ${line}\n`);
  };
  const commit = await commitOf(from);
  const old = await releaseOfCommit(commit, join(directory, 'old'));
  const checkout = await releaseOfCheckout(join(directory, 'checkout'));
  const fresh = await withTrialMigrations(checkout, join(directory, 'fresh'));
  const breaking = await breakingBetween(old, fresh);
  progress(`from ${commit}`);
  const outcome = await runUpgrade({
    ...{ old, fresh, seed, progress, goesBack: breaking.length === 0 },
    clients: 100,
    pace: { from: 150, to: 650 },
    replicas: 2,
    calm: 5_000,
    judgesCalm: true,
    fsync: 'on',
  });
  const { wrong, ...counted } = outcome;
  const { acknowledged, filesRead, filesWritten, notifications } = counted;
  const never = Object.entries({ acknowledged, filesRead, filesWritten, notifications }).flatMap(([what, count]) =>
    count > 0 ? [] : [`no ${what}`],
  );
  return {
    counted: { from: commit, wentBack: breaking.length === 0, breaking, ...counted },
    wrong: [...wrong, ...never],
  };
}
