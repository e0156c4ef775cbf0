import { parseArgs } from 'node:util';
import { measureCluster } from './cluster/cluster.ts';
import { sharesTable } from './cluster/requests.ts';
import { measureDeadPeers } from './dead-peers/dead-peers.ts';
import { type Figure, isMet, table } from './report.ts';
import type { Scale } from './setup.ts';
import { measureStandalone } from './standalone.ts';

const HELP = `Measures this project against a bare ws echo on the same machine, in the same run.

  pnpm bench            all figures (some minutes)
  pnpm bench --cluster  those of a cluster of processes on real NATS, Postgres, Redis and S3
  pnpm bench --dead-peers  a server beside a thousand domains that are dead, against one beside none
  pnpm bench --short    fewer requests and connections, for a first look
  pnpm bench --json     figures as JSON
`;

const { values } = parseArgs({
  options: {
    cluster: { type: 'boolean', default: false },
    'dead-peers': { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(HELP);
} else {
  const figures = await (values.cluster ? cluster() : values['dead-peers'] ? deadPeers() : standalone());
  process.exit(figures.every((figure) => isMet(figure) !== false) ? 0 : 1);
}

async function standalone(): Promise<readonly Figure[]> {
  const figures = await measureStandalone(scale(50_000));
  process.stdout.write(`${values.json ? JSON.stringify(figures) : table(figures)}\n`);
  return figures;
}

async function cluster(): Promise<readonly Figure[]> {
  const { figures, shares } = await measureCluster(scale(20_000), values.short ? 128 : 1024);
  const whole = `${table(figures)}\n\n${sharesTable(shares)}`;
  const json = {
    figures,
    shares: Object.fromEntries([...shares].map(([kind, times]) => [kind, Object.fromEntries(times)])),
  };
  process.stdout.write(`${values.json ? JSON.stringify(json) : whole}\n`);
  return figures;
}

async function deadPeers(): Promise<readonly Figure[]> {
  const size = values.short ? { requests: 20_000, rounds: 6 } : { requests: 20_000, rounds: 15 };
  const { figures, answers } = await measureDeadPeers({ domains: 1000, ...size });
  const answered = [...answers].map(([status, count]) => `${count} ${status}`).join(', ');
  const whole = `${table(figures)}\n\nThose who addressed the dead were answered: ${answered}`;
  process.stdout.write(`${values.json ? JSON.stringify({ figures, answers: Object.fromEntries(answers) }) : whole}\n`);
  return figures;
}

function scale(requests: number): Scale {
  return values.short ? { requests: requests / 5, crowd: 1000, rounds: 1 } : { requests, crowd: 10_000, rounds: 5 };
}
