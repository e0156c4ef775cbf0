/** The long version of a rollout, as a provider would have it, and what it is held to. */
import { type RolloutOutcome, runRollout } from './campaign.ts';

/** Hashed at once, and logins and new passwords that wait for it, of one gateway. */
const HASHING = { running: 2, waiting: 256, newWaiting: 64 };

const SIZES = { gateways: 3, workers: 200, passwords: 50, rest: 10_000, processes: 4, balancers: 2, calm: 10_000 };
const ENVIRONMENT = {
  FOSP_DRAIN_NOTICE_SECONDS: '2',
  FOSP_LIMIT_HASHES: String(HASHING.running),
};

export interface RolloutAsked {
  readonly connections: number;
  /** `FOSP_DRAIN_SECONDS`, within which all are to be back. */
  readonly drainSeconds: number;
}

export async function rolloutOutcome({
  connections,
  drainSeconds,
}: RolloutAsked): Promise<{ counted: Readonly<Record<string, unknown>>; wrong: readonly string[] }> {
  const began = performance.now();
  const progress = (line: string) => {
    process.stderr.write(`${((performance.now() - began) / 1000).toFixed(1)} s ${line}\n`);
  };
  const environment = { ...ENVIRONMENT, FOSP_DRAIN_SECONDS: String(drainSeconds) };
  const outcome = await runRollout({ ...SIZES, connections, environment, progress });
  const { wrong, ...counted } = outcome;
  return { counted, wrong: [...wrong, ...excesses(outcome, drainSeconds)] };
}

function excesses({ calm, killed, putOff, replaced }: RolloutOutcome, drainSeconds: number): string[] {
  const late = replaced.flatMap(({ secondsOfAll, what }) =>
    secondsOfAll > drainSeconds ? [`${what}: all were back after ${secondsOfAll} s only`] : [],
  );
  const bound = HASHING.running + HASHING.waiting + HASHING.newWaiting;
  const hashed = [calm, ...replaced, killed].flatMap(({ gateways, what }) =>
    gateways.most.hashing > bound ? [`${what}: ${gateways.most.hashing} passwords were hashed or waited`] : [],
  );
  // By token nothing is hashed. Who did not come back in time to be counted is counted the next time.
  const all = [...replaced, killed];
  const [hashes, logins] = [
    all.reduce((sum, { gateways }) => sum + gateways.counts.hashed, 0),
    all.reduce((sum, { passwords }) => sum + passwords, 0),
  ];
  const busy = putOff > 0 ? [`${putOff} requests were put off`] : [];
  return [
    ...late,
    ...busy,
    ...hashed,
    ...(hashes > 2 * logins ? [`${hashes} hashes for ${logins} logins by password`] : []),
  ];
}
