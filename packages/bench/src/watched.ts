/** UPDATEs of objects in a folder to which others have subscribed, from the first change to the last of them told. */
import { runLoad } from './load.ts';
import type { BenchUser } from './users.ts';

const OBJECTS = 100;
const WINDOW = 8;
/** Whoever calls counts what it costs, until the last is told. */
const NOT_MEASURED = { cpuSeconds: () => 0 };

export interface Watched {
  readonly folder: string;
  readonly author: BenchUser;
  readonly readers: readonly BenchUser[];
}

/** Makes the folder, with all readers subscribed to what changes in it. */
export async function makeWatched(watched: Watched): Promise<void> {
  const { folder, author, readers } = watched;
  const entries = readers.map(({ name }) => [name, { events: ['updated'], depth: 1 }]);
  const subscriptions = Object.fromEntries(entries);
  await author.wire.ask(`CREATE ${folder}`, JSON.stringify({ acl: { other: ['read-data'] }, subscriptions }));
  for (let at = 0; at < OBJECTS; at++) {
    await author.wire.ask(`CREATE ${folder}/n${at}`, '{"data":""}');
  }
}

/** Resolves, with how many notifications there were, once all readers were told of all updates. */
export async function tellOnce({ folder, author, readers }: Watched, updates: number, round: number): Promise<number> {
  const expected = updates * readers.length;
  const all = Promise.withResolvers<void>();
  let delivered = 0;
  for (const { wire } of readers) {
    wire.onMessage = () => {
      if (++delivered === expected) {
        all.resolve();
      }
    };
  }
  const filler = 'x'.repeat(1000);
  await runLoad({
    server: NOT_MEASURED,
    wires: [author.wire],
    window: WINDOW,
    count: updates,
    message: (index) =>
      `UPDATE ${folder}/n${index % OBJECTS} ${index + 1000}\r\n\r\n{"data":"${round}-${index}${filler}"}`,
  });
  await all.promise;
  return expected;
}
