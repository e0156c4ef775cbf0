/** The long campaign, as its arguments ask for it: what it counted goes to the standard output. */
import type { ChaosArguments } from './arguments.ts';
import { runChaos } from './campaign.ts';
import { lacking, late, report } from './report.ts';

/** Gives the exit code: 1 where something was wrong, late, or not seen at all. */
export async function runAsAsked(asked: ChaosArguments): Promise<number> {
  const { clients, pace, replicas: count, faults, seed, isJson } = asked;
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => ending.abort());
  }
  process.stderr.write(`seed ${seed}\n`);
  const result = await runChaos({
    ...{ seed, clients, pace, faults },
    replicas: { gateway: count + 1, objects: count, notifications: count, attachments: count, federation: count },
    probeInterval: 400,
    fsync: 'on',
    judgesCalm: true,
    calm: 10_000,
    kills: asked.minutes * 60_000,
    watch: 7_000,
    away: asked.away * 1_000,
    settlesEach: true,
    progress: (line) => process.stderr.write(`${line}\n`),
    signal: ending.signal,
  });
  const lacks = lacking(result, { withFaults: faults.length > 0 });
  process.stdout.write(report(result, { seed, isJson, lacks }));
  return result.tally.wrongCount + lacks.length + late(result).length > 0 ? 1 : 0;
}
