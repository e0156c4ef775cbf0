/** What `pnpm chaos` is asked for; or a sentence for each word of it that makes no sense. */
import { parseArgs } from 'node:util';
import { FAULTS } from './faults.ts';
import type { Pace } from './load.ts';

export const HELP = `A cluster under mixed load, while its pods are killed and what is under them goes away.

  pnpm chaos [--minutes 10] [--clients 200] [--seed TEXT] [--json]

  --minutes 10          how long pods are killed
  --pause 150-650       milliseconds between an answer and a client's next request
  --replicas 2          processes of each service, and one gateway more, so that connections have where to stay
  --away 10             seconds that NATS, Postgres, Redis or S3 is away
  --faults a,b          of these alone: ${FAULTS.map(({ name }) => name).join(', ')}; none
  --json                the counts as JSON
`;

export interface ChaosArguments {
  readonly isHelp: boolean;
  readonly minutes: number;
  readonly clients: number;
  readonly pace: Pace;
  readonly replicas: number;
  /** Seconds. */
  readonly away: number;
  readonly faults: readonly string[];
  readonly seed: string;
  readonly isJson: boolean;
}

const NONE = 'none';

/** Throws an error whose message has a line for each mistake. */
export function chaosArguments(given: readonly string[]): ChaosArguments {
  const { values } = parseArgs({
    args: [...given],
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
  const problems: string[] = [];
  const number = (name: 'minutes' | 'clients' | 'replicas' | 'away', isWhole: boolean): number => {
    const value = Number(values[name]);
    const isGood = values[name].trim() !== '' && (isWhole ? Number.isSafeInteger(value) && value > 0 : value >= 0);
    if (!isGood || !Number.isFinite(value)) {
      problems.push(`--${name} takes a ${isWhole ? 'whole ' : ''}number, not ${JSON.stringify(values[name])}`);
    }
    return value;
  };
  const [, from, to] = /^(\d+)(?:-(\d+))?$/.exec(values.pause) ?? [];
  if (from === undefined || Number(to ?? from) < Number(from)) {
    problems.push(`--pause takes milliseconds, from and to, such as 150-650, not ${JSON.stringify(values.pause)}`);
  }
  const faults = values.faults === NONE ? [] : values.faults.split(',').map((name) => name.trim());
  for (const name of faults.filter((one) => !FAULTS.some((fault) => fault.name === one))) {
    problems.push(
      `--faults knows no ${JSON.stringify(name)}; there are ${FAULTS.map((fault) => fault.name).join(', ')}`,
    );
  }
  const asked = {
    ...{ minutes: number('minutes', false), clients: number('clients', true) },
    ...{ replicas: number('replicas', true), away: number('away', false) },
    ...{ pace: { from: Number(from), to: Number(to ?? from) }, faults },
    ...{ seed: values.seed, isJson: values.json, isHelp: values.help },
  };
  if (problems.length > 0) {
    throw new Error(problems.join('\n'));
  }
  return asked;
}
