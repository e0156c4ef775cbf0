/**
 * Changes trees until it is killed: `node writer-child.ts <folder> <seed>`. Workers go on at once, each in a subtree of its
 * own, one step after the other. Says on standard output what it begins, what was acknowledged, and what events left.
 */
import { writeSync } from 'node:fs';
import { ALICE, BOB, openWorld, QUEEN } from '../world.ts';
import { type Line, stepOf, WORKERS } from './steps.ts';

const [, , folder = '', seed = '0'] = process.argv;

const asleep = new Int32Array(new SharedArrayBuffer(4));

/** All of it, before anything else is done: waits where whoever reads is slow, and the pipe is full. */
function say(line: Line): void {
  let rest = Buffer.from(`${JSON.stringify(line)}\n`);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) {
        throw error;
      }
      Atomics.wait(asleep, 0, 0, 1);
    }
  }
}

const world = await openWorld({
  ...{ folder, users: [], store: { rowsPerCheckpoint: 50 } },
  onChange: async ({ tree, sequence }) => say({ kind: 'event', tree, sequence: Number(sequence) }),
});
for (const tree of [ALICE, BOB]) {
  await world.register(tree);
  await world.update(tree, tree, {
    subscriptions: { [QUEEN]: { events: ['created', 'updated', 'deleted'], depth: -1 } },
  });
}

async function work(worker: number): Promise<never> {
  const tree = worker % 2 === 0 ? ALICE : BOB;
  await world.create(tree, `${tree}/w${worker}`);
  for (let number = 0; ; number++) {
    const step = stepOf(Number(seed), worker, number);
    say({ kind: 'begin', worker, number });
    const id = `${tree}/w${worker}${step.path}`;
    const data = `${seed} ${number}`;
    const { status, fields } = await {
      create: () => world.create(tree, id, { data }),
      update: () => world.update(tree, id, { data }),
      delete: () => world.delete(tree, id),
      write: () => world.write(tree, id, `${seed} ${worker} ${number}`),
      unwrite: () => world.update(tree, id, { attachment: null }),
    }[step.operation]();
    const version = Number(fields['etag']?.slice(1, -1) ?? 0);
    say({ kind: 'done', worker, number, status, tree, version });
  }
}

await Promise.all(Array.from({ length: WORKERS }, (_, worker) => work(worker)));
