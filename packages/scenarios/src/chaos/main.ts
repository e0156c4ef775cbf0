/** `pnpm chaos`: a cluster under load whose pods are killed and whose servers go away; what came of it, counted. */
import { parseArgs } from 'node:util';
import { runChaos } from './campaign.ts';
import { FAULTS } from './faults.ts';
import { lacking, late, report } from './report.ts';

const HELP = `A cluster under mixed load, while its pods are killed and what is under them goes away.

  pnpm chaos [--minutes 10] [--clients 200] [--seed TEXT] [--json]

  --minutes 10          how long pods are killed
  --pause 150-650       milliseconds between an answer and a client's next request
  --replicas 2          processes of each service, and one gateway more, so that connections have where to stay
  --away 10             seconds that NATS, Postgres, Redis or S3 is away
  --faults a,b          of these alone: ${FAULTS.map(({ name }) => name).join(', ')}; none
  --json                the counts as JSON
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '10' },
    clients: { type: 'string', default: '200' },
    pause: { type: 'string', default: '150-650' },
    replicas: { type: 'string', default: '2' },
    away: { type: 'string', default: '10' },
    faults: { type: 'string', default: FAULTS.map(({ name }) => name).join() },
    seed: { type: 'string', default: new Date().toISOString() },
    json: { type: 'boolean', default: false },
  },
});

async function main(): Promise<number> {
  const [from = 0, to = from] = values.pause.split('-').map(Number);
  const count = Number(values.replicas);
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => ending.abort());
  }
  process.stderr.write(`seed ${values.seed}\n`);
  const result = await runChaos({
    seed: values.seed,
    clients: Number(values.clients),
    pace: { from, to },
    replicas: { gateway: count + 1, objects: count, notifications: count, attachments: count, federation: count },
    probeInterval: 400,
    fsync: 'on',
    calm: 10_000,
    kills: Number(values.minutes) * 60_000,
    watch: 7_000,
    away: Number(values.away) * 1_000,
    faults: values.faults.split(','),
    settlesEach: true,
    progress: (line) => process.stderr.write(`${line}\n`),
    signal: ending.signal,
  });
  process.stdout.write(report(result, { seed: values.seed, isJson: values.json }));
  return result.tally.wrongCount + lacking(result, values.faults !== 'none').length + late(result).length > 0 ? 1 : 0;
}

if (values.help) {
  process.stdout.write(HELP);
} else {
  process.exitCode = await main();
}
