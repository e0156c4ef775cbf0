/**
 * That trees share nothing: writes of more trees are no slower in all, and one tree that is held, by a transaction from
 * outside that never ends, leaves the others as fast as they were.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { runLoad } from '../load.ts';
import type { Figure } from '../report.ts';
import { type BenchUser, ONE_KIB } from '../users.ts';
import type { ClusterBench } from './setup.ts';

/** Writes on their way in all, however many trees they are spread over. */
const IN_FLIGHT = 64;

export async function measureTrees(bench: ClusterBench, users: readonly BenchUser[], count: number): Promise<Figure[]> {
  const figures: Figure[] = [];
  let round = 0;
  const rate = async (some: readonly BenchUser[]) => {
    const label = `t${round++}`;
    const { perSecond } = await runLoad({
      server: bench,
      wires: some.map(({ wire }) => wire),
      window: Math.ceil(IN_FLIGHT / some.length),
      count,
      message: (index, at) =>
        `CREATE ${some[at]?.name}/a/b/${label}-${index} ${index + 1000}\r\n\r\n{"data":${ONE_KIB}}`,
    });
    return perSecond;
  };
  for (const trees of [1, 2, 8, 64]) {
    const value = await rate(users.slice(0, trees));
    figures.push({
      name: `CREATE in ${trees} tree${trees === 1 ? '' : 's'}, ${IN_FLIGHT} on their way`,
      value,
      unit: 'per second',
    });
  }
  const [held, ...others] = users;
  const before = await rate(others);
  const release = await hold(bench, held?.name ?? '');
  const during = await rate(others);
  await release();
  figures.push({
    name: 'CREATE in 63 trees while another tree is held from outside',
    value: during,
    unit: 'per second',
    ratio: during / before,
  });
  return figures;
}

/** Locks the tree's row as a write does, until what it resolves with is called. */
async function hold({ cluster }: ClusterBench, tree: string): Promise<() => Promise<void>> {
  const url = cluster.infrastructure.environment['FOSP_POSTGRES_URL'] ?? '';
  const session = spawn('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-v', `tree=${tree}`, url], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  session.stdin.write("BEGIN;\nSELECT 'held' FROM trees WHERE tree = :'tree' FOR UPDATE;\n");
  const [answer] = await once(session.stdout, 'data');
  if (!String(answer).includes('held')) {
    throw new Error(`The tree ${tree} is not held: ${answer}`);
  }
  return async () => {
    session.stdin.end('ROLLBACK;\n');
    await once(session, 'exit');
  };
}
