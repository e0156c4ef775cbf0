/**
 * All gateways replaced one by one under thousands of sessions, and then one killed. Sessions of the SDK come back by token, so
 * that nothing is hashed for them; some users of older programs log in by password each time. Whoever lost their connection
 * asks for something at once, and waits for it; some work all the time.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Cluster, PASSWORD, ServerProcess, startCluster, TestSession, temporaryDirectory } from '@fosp/testkit';
import { type Comeback, Comebacks } from './comebacks.ts';
import { CrowdProcess } from './crowds.ts';
import { GatewayWatch } from './gateway-watch.ts';
import { newPasswordTally, PasswordUser } from './password-user.ts';
import { rollOut } from './roll.ts';

export interface RolloutOptions {
  /** Sessions in all; of these so many work, and so many log in by password. */
  readonly connections: number;
  readonly workers: number;
  readonly passwords: number;
  /** Milliseconds between two rounds of one who works. */
  readonly rest: number;
  readonly gateways: number;
  /** Processes that the clients are in, and load balancers that they come through. */
  readonly processes: number;
  readonly balancers: number;
  /** Of the services. */
  readonly environment: Readonly<Record<string, string>>;
  /** Milliseconds of load before anything goes. */
  readonly calm: number;
  /** A line now and then. */
  readonly progress: (line: string) => void;
}

export interface RolloutOutcome {
  readonly sessions: number;
  readonly calm: Comeback;
  readonly replaced: readonly Comeback[];
  readonly killed: Comeback;
  /** Requests of those who work, and notifications that they were told. */
  readonly requests: number;
  readonly notifications: number;
  /** Requests that a machine which cannot follow put off. */
  readonly putOff: number;
  readonly wrong: readonly string[];
}

/** Logins at once while the crowd gathers, over all processes; gateways hash so many without a word. */
const GATHERING = 48;
const PASSWORDS_AT_ONCE = 8;
/** Accounts of those who are not to cost what a password costs are made where it costs this. */
const CHEAP = '1 MiB';

export async function runRollout(options: RolloutOptions): Promise<RolloutOutcome> {
  await using started = new AsyncDisposableStack();
  const { progress } = options;
  const environment = { FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: '1000000', ...options.environment };
  const cluster = started.use(
    await startCluster({
      environment,
      replicas: { gateway: options.gateways, objects: 2, notifications: 1, attachments: 1, federation: 0 },
      spares: { gateway: 1 },
      balancers: options.balancers,
      connections: Math.ceil((1.2 * options.connections) / options.balancers) + 100,
    }),
  );
  const crowds = Array.from({ length: options.processes }, () => started.use(new CrowdProcess()));
  await gather(cluster, crowds, { ...options, environment });
  const passwords = newPasswordTally();
  const others = await passwordUsers(cluster, options.passwords, passwords);
  const staying = others.map((user) => user.stay());
  started.defer(async () => {
    await Promise.all(others.map((user) => user.stop()));
    await Promise.all(staying);
  });
  const watch = started.use(new GatewayWatch(cluster));
  const comebacks = new Comebacks({ crowds, passwords, expected: options, watch, progress });
  await comebacks.everybody();
  await comebacks.take('gathering');
  await pause(options.calm);
  const calm = await comebacks.take('nothing');
  const replaced: Comeback[] = [];
  const rolled = await rollOut(cluster, 'gateway', {
    ending: ({ name }) => {
      comebacks.begin();
      return async ({ seconds }) => {
        await comebacks.everybody();
        replaced.push(await comebacks.take(`${name} replaced, gone after ${seconds} s`));
        await comebacks.everybodyWorks();
      };
    },
  });
  await Promise.all(crowds.map((crowd) => crowd.rest()));
  const killed = await kill(cluster, comebacks);
  const states = await comebacks.states();
  const work = states.map((state) => state.work);
  return {
    sessions: options.connections,
    ...{ calm, replaced, killed },
    requests: work.reduce((sum, { requests }) => sum + requests, 0),
    notifications: work.reduce((sum, { notifications }) => sum + notifications, 0),
    putOff: states.reduce((sum, { putOff }) => sum + putOff, 0),
    wrong: [
      ...rolled.flatMap(({ wrong }) => wrong),
      ...states.flatMap(({ faults }) => faults),
      ...work.flatMap(({ faults }) => faults),
      ...passwords.faults,
      ...states.flatMap(({ answered, waited }) => (answered === waited ? [] : [`${waited - answered} waited in vain`])),
      ...(states.some(({ waited }) => waited > 0) ? [] : ['nobody had to wait for anything']),
    ],
  };
}

async function gather(cluster: Cluster, crowds: readonly CrowdProcess[], options: RolloutOptions): Promise<void> {
  await using directory = await temporaryDirectory();
  await using registrar = await ServerProcess.start({
    program: 'gateway',
    dataDirectory: directory.path,
    environment: { ...cluster.infrastructure.environment, ...options.environment, FOSP_HASH_MEMORY: CHEAP },
  });
  const { balancers } = cluster;
  const each = (whole: number) => Math.floor(whole / crowds.length);
  await Promise.all(
    crowds.map((crowd, at) =>
      crowd.gather({
        url: balancers[at % balancers.length]?.url ?? '',
        registrar: registrar.url,
        name: `crowd-${at}`,
        members: each(options.connections - options.workers - options.passwords),
        workers: each(options.workers),
        rest: options.rest,
        atOnce: Math.ceil(GATHERING / crowds.length),
      }),
    ),
  );
  options.progress('the crowd is there');
}

/** Their accounts are hashed as a provider's are. */
async function passwordUsers(
  { url }: Cluster,
  count: number,
  tally: ReturnType<typeof newPasswordTally>,
): Promise<PasswordUser[]> {
  const names = Array.from({ length: count }, (_, at) => `old-${at}`);
  const coming = names.values();
  const register = async () => {
    for (const name of coming) {
      const session = await TestSession.connect(url);
      await session.succeed('REGISTER', '*', { body: { name, password: PASSWORD } });
      await session.close();
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, PASSWORDS_AT_ONCE) }, register));
  return names.map((name) => new PasswordUser(name, url, tally));
}

async function kill(cluster: Cluster, comebacks: Comebacks): Promise<Comeback> {
  const [pod] = cluster.podsOf('gateway').filter(({ isRunning }) => isRunning);
  comebacks.begin('by whatever end');
  await pod?.kill();
  await comebacks.everybody();
  return await comebacks.take(`${pod?.name} killed`);
}
