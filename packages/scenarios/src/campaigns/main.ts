/** `pnpm campaign NAME`: the long versions of what the tests show in short; each prints what it counted. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ALICE, ServerProcess, TestSession, temporaryDirectory } from '@fosp/testkit';
import { throwBadInput } from '../bad-input.ts';
import { killAgainAndAgain } from '../durability.ts';
import { runAlerts } from '../monitoring/campaign.ts';
import { runOutage } from '../outage/campaign.ts';
import { rolloutOutcome } from '../rollout/judgement.ts';
import { runStaleness, type StalenessOutcome } from '../staleness/campaign.ts';
import { traceWrites } from '../sync-trace.ts';
import { upgradeOutcome } from '../upgrade/judgement.ts';
import { MissingHistory } from '../upgrade/releases.ts';
import { importRealFolder } from './import-real-folder.ts';

const HELP = `Long campaigns against a whole server.

  pnpm campaign durability [--writes 10000] [--kills 20]   kill -9 at random moments of many writes
  pnpm campaign syncs [--rounds 100]                       a sync before every success, by strace
  pnpm campaign bad-input [--messages 100000]              mutated messages
  pnpm campaign import FOLDER                              a real folder there and back
  pnpm campaign outage [--minutes 10] [--notifications 10000]
                                                           a domain away for so long, the process that has it killed twice
  pnpm campaign rollout [--connections 10000] [--drain-seconds 25]
                                                           all gateways replaced under so many sessions, then one killed
  pnpm campaign staleness [--reads 100000] [--seed TEXT]   reads beside revocations, two object pods, a bad Redis
  pnpm campaign upgrade [--from HEAD~1] [--seed TEXT]      a cluster brought from a commit to this checkout and back, with
                                                           migrations, and no request that fails
  pnpm campaign alerts [--only TEXT]                       every alert made to fire, in a real Prometheus

Rights and notifications on random trees:  node packages/protocol/test/oracle/campaign.ts --trees 1000000
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    writes: { type: 'string', default: '10000' },
    kills: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '100' },
    messages: { type: 'string', default: '100000' },
    reads: { type: 'string', default: '100000' },
    seed: { type: 'string', default: 'wonderland' },
    minutes: { type: 'string', default: '10' },
    notifications: { type: 'string', default: '10000' },
    connections: { type: 'string', default: '10000' },
    from: { type: 'string', default: 'HEAD~1' },
    'drain-seconds': { type: 'string', default: '25' },
    only: { type: 'string' },
  },
});

/** Seconds from when a domain is back until all that waited for it is told. */
const TOLD_WITHIN = 10;

interface Outcome {
  readonly counted: Readonly<Record<string, unknown>>;
  readonly wrong: readonly string[];
}

async function run(name: string | undefined, directory: string): Promise<Outcome | undefined> {
  switch (name) {
    case 'durability': {
      const sizes = { writes: Number(values.writes), kills: Number(values.kills) };
      const { wrong, ...counted } = await killAgainAndAgain({
        dataDirectory: directory,
        ...sizes,
        random: Math.random,
      });
      return { counted, wrong };
    }
    case 'syncs': {
      await using server = await ServerProcess.start({ dataDirectory: join(directory, 'data') });
      const { unsynced, ...counted } = await traceWrites(server, join(directory, 'trace'), Number(values.rounds));
      return { counted, wrong: unsynced };
    }
    case 'bad-input': {
      const environment = {
        FOSP_LIMIT_LOGIN_FAILURES_PER_MINUTE: '1000000',
        FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: '1000000',
      };
      await using server = await ServerProcess.start({ dataDirectory: directory, environment });
      await (await TestSession.register(server.url, ALICE)).close();
      const { wrong, closes, statuses, ...counted } = await throwBadInput(
        server.url,
        Number(values.messages),
        Math.random,
      );
      return {
        counted: { ...counted, closes: Object.fromEntries(closes), statuses: Object.fromEntries(statuses) },
        wrong,
      };
    }
    case 'import':
      return positionals[1] === undefined ? undefined : await importRealFolder(positionals[1], directory);
    case 'outage': {
      const sizes = { notifications: Number(values.notifications), seconds: 60 * Number(values.minutes) };
      const { wrong, ...counted } = await runOutage({ ...sizes, kills: 2, trees: 20, readers: 20 });
      const late = counted.secondsUntilTold > TOLD_WITHIN ? [`all was told after ${counted.secondsUntilTold} s`] : [];
      return { counted, wrong: [...wrong, ...late] };
    }
    case 'rollout':
      return await rolloutOutcome({
        connections: Number(values.connections),
        drainSeconds: Number(values['drain-seconds']),
      });
    case 'upgrade':
      return await upgradeOutcome({ from: values.from, directory, seed: values.seed });
    case 'staleness': {
      const { wrong, ...counted } = await runStaleness({ reads: Number(values.reads), seed: values.seed });
      return { counted, wrong: [...wrong, ...lackingOf(counted)] };
    }
    case 'alerts':
      return await runAlerts({ only: values.only, report: (text) => void process.stderr.write(`${text}\n`) });
    default:
      return undefined;
  }
}

/** What must have happened for the campaign to mean anything. */
function lackingOf({ reads, pods, writes, troubles }: Omit<StalenessOutcome, 'wrong'>): string[] {
  const hits = pods.reduce((sum, pod) => sum + pod.hits, 0);
  const never = Object.entries({ ...writes, ...troubles }).flatMap(([what, count]) =>
    count > 0 ? [] : [`no ${what}`],
  );
  return hits < reads / 2 ? [...never, `only ${hits} of ${reads} reads were served from Redis`] : never;
}

/** What cannot be tried here for want of history is said, and nothing was wrong with it. */
async function runAsAsked(directory: string): Promise<number> {
  let outcome: Outcome | undefined;
  try {
    outcome = await run(positionals[0], directory);
  } catch (error) {
    if (!(error instanceof MissingHistory)) {
      throw error;
    }
    process.stderr.write(`${error.message}\n`);
    return 2;
  }
  if (outcome === undefined) {
    process.stdout.write(HELP);
    return 2;
  }
  const { counted, wrong } = outcome;
  process.stdout.write(`${JSON.stringify(counted, undefined, 2)}\n`);
  process.stdout.write(
    wrong.length === 0 ? 'Nothing wrong.\n' : `${wrong.length} wrong:\n${wrong.slice(0, 50).join('\n')}\n`,
  );
  return wrong.length === 0 ? 0 : 1;
}

await using directory = await temporaryDirectory();
process.exitCode = await runAsAsked(directory.path);
