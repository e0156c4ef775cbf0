/** One of the processes that a crowd is spread over: what `crowds.ts` asks it, it does, and answers. */
import { FospClient } from '@fosp/client';
import { PASSWORD } from '@fosp/testkit';
import { Crowd } from './crowd.ts';
import type { Asked, GatherOptions, Question, Told } from './crowds.ts';
import { SdkUser } from './sdk-user.ts';
import { newTally, reasonOf } from './tally.ts';

const tally = newTally();
let crowd: Crowd | undefined;
let workers: SdkUser[] = [];
let working: Promise<void>[] = [];

async function gather(options: GatherOptions): Promise<void> {
  const { atOnce, members, name, registrar, rest, url } = options;
  const names = Array.from({ length: members }, (_, at) => `${name}-${at}`);
  await registerAll(names, atOnce, registrar);
  crowd = await Crowd.gather({ url, users: names, atOnce });
  for (let at = 0; at < options.workers; at++) {
    workers.push(await SdkUser.register(`${name}-works-${at}`, url, tally, registrar));
  }
  working = workers.map((worker) => worker.work(rest));
}

async function registerAll(names: readonly string[], atOnce: number, url: string): Promise<void> {
  const coming = names.values();
  const register = async () => {
    for (const name of coming) {
      const client = await FospClient.connect({ url, requestTimeoutMs: 120_000 });
      await client.register(name, PASSWORD);
      client.close();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, register));
}

async function answer(question: Question): Promise<unknown> {
  switch (question.kind) {
    case 'gather':
      return await gather(question.options);
    case 'state':
      return { ...crowd?.state(), rounds: Math.min(...workers.map(({ rounds }) => rounds)), work: tally };
    case 'rest':
      for (const worker of workers) {
        worker.stop();
      }
      await Promise.all(working);
      workers = [];
      return undefined;
  }
}

process.on('message', async ({ id, question }: Asked) => {
  const told: Told = await answer(question).then(
    (value) => ({ id, value }),
    (error: unknown) => ({ id, failure: reasonOf(error) }),
  );
  process.send?.(told);
});
// Whoever started it is gone.
process.on('disconnect', () => process.exit());
