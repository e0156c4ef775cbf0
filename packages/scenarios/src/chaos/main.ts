/** `pnpm chaos`: a cluster under load whose pods are killed and whose servers go away; what came of it, counted. */
import { type ChaosArguments, chaosArguments, HELP } from './arguments.ts';
import { runChaos } from './campaign.ts';
import { lacking, late, report } from './report.ts';

/** Exit codes: something was wrong, late, or not seen at all; the arguments make no sense. */
const FAILED = 1;
const USAGE = 2;

async function run(asked: ChaosArguments): Promise<number> {
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
  return result.tally.wrongCount + lacks.length + late(result).length > 0 ? FAILED : 0;
}

function asked(): ChaosArguments | undefined {
  try {
    return chaosArguments(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\nSee pnpm chaos --help.\n`);
    return undefined;
  }
}

const wanted = asked();
if (wanted === undefined) {
  process.exitCode = USAGE;
} else if (wanted.isHelp) {
  process.stdout.write(HELP);
} else {
  process.exitCode = await run(wanted);
}
