import { parseArgs } from 'node:util';
import { measureCluster } from './cluster/cluster.ts';
import { sharesTable } from './cluster/requests.ts';
import { measureDeadPeers } from './dead-peers/dead-peers.ts';
import { measureFederation } from './federation/federation.ts';
import { type Figure, isMet, table } from './report.ts';
import type { Scale } from './setup.ts';
import { measureStandalone } from './standalone.ts';

const HELP = `Measures this project against a bare ws echo on the same machine, in the same run.

  pnpm bench               all figures (some minutes)
  pnpm bench --cluster     those of a cluster of processes on real NATS, Postgres, Redis and S3
  pnpm bench --federation  those of two providers, whose users work on each other's trees as on their own
      --between standalone two single servers, or two clusters (--between cluster); both where nothing is said
  pnpm bench --dead-peers  a server beside a thousand domains that are dead, against one beside none
      --cluster            clusters instead of single servers
  pnpm bench --short       fewer requests and connections, for a first look
  pnpm bench --json        figures as JSON
`;

const { values } = parseArgs({
  options: {
    cluster: { type: 'boolean', default: false },
    'dead-peers': { type: 'boolean', default: false },
    federation: { type: 'boolean', default: false },
    between: { type: 'string' },
    short: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(HELP);
} else {
  const figures = await measure();
  process.exit(figures.every((figure) => isMet(figure) !== false) ? 0 : 1);
}

function measure(): Promise<readonly Figure[]> {
  if (values.federation) {
    return federation();
  }
  if (values['dead-peers']) {
    return deadPeers();
  }
  return values.cluster ? cluster() : standalone();
}

async function standalone(): Promise<readonly Figure[]> {
  const figures = await measureStandalone(scale(50_000));
  process.stdout.write(`${values.json ? JSON.stringify(figures) : table(figures)}\n`);
  return figures;
}

async function cluster(): Promise<readonly Figure[]> {
  const { figures, shares } = await measureCluster(scale(20_000), values.short ? 128 : 1024);
  const whole = `${table(figures)}\n\n${sharesTable(shares)}`;
  const json = { figures, shares: sharesJson(shares) };
  process.stdout.write(`${values.json ? JSON.stringify(json) : whole}\n`);
  return figures;
}

async function deadPeers(): Promise<readonly Figure[]> {
  const size = values.cluster
    ? { alone: 100, together: 3000, warmUp: 20_000 }
    : { alone: 250, together: 5000, warmUp: 50_000 };
  const times = { rounds: values.short ? 20 : 60, settleSeconds: 30, idleSeconds: values.short ? 10 : 20 };
  const kind = values.cluster ? 'cluster' : 'standalone';
  const { figures, answers } = await measureDeadPeers({ kind, domains: 1000, ...size, ...times });
  const answered = [...answers].map(([status, count]) => `${count} ${status}`).join(', ');
  const whole = `${table(figures, 'of the quiet')}\n\nThose who addressed the dead were answered: ${answered}`;
  process.stdout.write(`${values.json ? JSON.stringify({ figures, answers: Object.fromEntries(answers) }) : whole}\n`);
  return figures;
}

async function federation(): Promise<readonly Figure[]> {
  const kinds = (['standalone', 'cluster'] as const).filter((kind) => (values.between ?? kind) === kind);
  if (kinds.length === 0) {
    throw new Error(`--between must be standalone or cluster, not ${values.between}`);
  }
  const numbers = await measureFederation(scale(20_000), kinds);
  const sections = numbers.map(
    ({ kind, figures, shares }) => `Between ${kind}s:\n\n${table(figures, 'of a local one')}\n\n${sharesTable(shares)}`,
  );
  const json = numbers.map(({ shares, ...rest }) => ({ ...rest, shares: sharesJson(shares) }));
  process.stdout.write(`${values.json ? JSON.stringify(json) : sections.join('\n\n')}\n`);
  return numbers.flatMap(({ figures }) => figures);
}

function sharesJson(shares: ReadonlyMap<string, ReadonlyMap<string, number>>) {
  return Object.fromEntries([...shares].map(([kind, times]) => [kind, Object.fromEntries(times)]));
}

function scale(requests: number): Scale {
  return values.short ? { requests: requests / 5, crowd: 1000, rounds: 1 } : { requests, crowd: 10_000, rounds: 5 };
}
