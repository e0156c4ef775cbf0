/**
 * Many users, each connected once: what a connection that does nothing takes, and what telling all of them costs. On a server
 * of its own, since memory that other measurements left free would hide what the connections take.
 */
import { rateOf, runLoad } from './load.ts';
import type { Figure } from './report.ts';
import { Bench, type Floor, inRounds, PASSWORD, ratioFigure, type Scale } from './setup.ts';
import { Wire } from './wire.ts';

const KIB = 1024;
const AT_ONCE = 20;
const PER_UPDATE = 1000;
const OBJECTS = 100;

export async function measureCrowd(floor: Floor, scale: Scale): Promise<Figure[]> {
  const bench = await Bench.start();
  try {
    const names = Array.from({ length: scale.crowd }, (_, index) => `reader${index}`);
    await register(bench, names);
    const first = await connectAll(bench, names.slice(0, AT_ONCE));
    const before = bench.server.residentBytes();
    const others = await connectAll(bench, names.slice(AT_ONCE));
    const each = (bench.server.residentBytes() - before) / others.length / KIB;
    const readers = [...first, ...others];
    const name = `memory per idle connection, of ${readers.length} users`;
    const figures: Figure[] = [{ name, value: each, unit: 'KiB', target: { of: 'value', atMost: 25 } }];
    for (const count of [1, 50, 100, readers.length]) {
      const pairs = await measureNotifications({ bench, floor, readers: readers.slice(0, count), scale });
      figures.push(ratioFigure(`notifications to ${count} subscribers`, pairs, count === 50 ? 0.5 : undefined));
    }
    return figures;
  } finally {
    await bench.stop();
  }
}

/** On some connections side by side, so that accounts share syncs of the disk. */
async function register({ url }: Bench, names: readonly string[]): Promise<void> {
  const waiting = [...names];
  const work = async (): Promise<void> => {
    const wire = await Wire.open(url);
    await wire.ask('CONNECT *', '{"version":"0.1"}');
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      await wire.ask('REGISTER *', JSON.stringify({ name, password: PASSWORD }));
    }
    wire.socket.terminate();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

async function connectAll({ url }: Bench, names: readonly string[]): Promise<Wire[]> {
  const wires: Wire[] = [];
  for (let from = 0; from < names.length; from += AT_ONCE) {
    const some = names.slice(from, from + AT_ONCE);
    wires.push(
      ...(await Promise.all(some.map(async (name) => (await Wire.login(url, { name, password: PASSWORD })).wire))),
    );
  }
  return wires;
}

interface Fanning {
  readonly bench: Bench;
  readonly floor: Floor;
  readonly readers: readonly Wire[];
  readonly scale: Scale;
}

/** UPDATEs of objects in a folder to which all readers have subscribed. */
async function measureNotifications({ bench, floor, readers, scale }: Fanning): ReturnType<typeof inRounds> {
  const folder = `alice@localhost/watched${readers.length}`;
  await prepareFolder(bench, folder, readers.length);
  const updates = Math.min(scale.requests, Math.max(20, Math.round(scale.requests / readers.length)));
  const expected = updates * readers.length;
  return await inRounds(scale.rounds, async (round) => {
    const echoes = await floor.run(scale.requests);
    let delivered = 0;
    const all = new Promise<void>((resolve) => {
      for (const reader of readers) {
        reader.onMessage = () => {
          if (++delivered === expected) {
            resolve();
          }
        };
      }
    });
    const cpu = bench.server.cpuSeconds();
    const began = performance.now();
    const filler = 'x'.repeat(1000);
    await runLoad({
      ...bench,
      window: 8,
      count: updates,
      message: (index) =>
        `UPDATE ${folder}/n${index % OBJECTS} ${index + 1000}\r\n\r\n{"data":"${round}-${index}${filler}"}`,
    });
    await all;
    return { floor: echoes, rate: rateOf(expected, bench.server.cpuSeconds() - cpu, performance.now() - began) };
  });
}

async function prepareFolder({ wires }: Bench, folder: string, readers: number): Promise<void> {
  const [wire] = wires;
  await wire?.ask(`CREATE ${folder}`, '{"acl":{"other":["read-data"]}}');
  for (let from = 0; from < readers; from += PER_UPDATE) {
    const names = Array.from({ length: Math.min(PER_UPDATE, readers - from) }, (_, offset) => `reader${from + offset}`);
    const entries = names.map((name) => [`${name}@localhost`, { events: ['updated'], depth: 1 }]);
    await wire?.ask(`UPDATE ${folder}`, JSON.stringify({ subscriptions: Object.fromEntries(entries) }));
  }
  for (let index = 0; index < OBJECTS; index++) {
    await wire?.ask(`CREATE ${folder}/n${index}`, '{"data":""}');
  }
}
