import { median, quantile, runLoad } from './load.ts';
import type { Figure } from './report.ts';
import { type Bench, type Floor, inRounds, ratioFigure, type Scale } from './setup.ts';

const ONE_KIB = `"${'x'.repeat(1022)}"`;
const FOLDER = 'alice@localhost/a/b';
/** How many objects the UPDATEs are spread over: those of one object would wait for each other, and so for the disk. */
const OBJECTS = 5000;
const LATENCY_SECONDS = 5;

interface Kind {
  readonly name: string;
  readonly atLeast: number;
  readonly message: (index: number, round: number) => string;
}

const KINDS: readonly Kind[] = [
  { name: 'SELECT, 1 KiB at depth 3', atLeast: 0.25, message: (index) => select(index) },
  {
    name: 'CREATE, 1 KiB at depth 3',
    atLeast: 0.1,
    message: (index, round) => `CREATE ${FOLDER}/n${round}-${index} ${index + 1000}\r\n\r\n{"data":${ONE_KIB}}`,
  },
  {
    name: 'UPDATE, 1 KiB at depth 3',
    atLeast: 0.1,
    message: (index, round) =>
      `UPDATE ${FOLDER}/n0-${index % OBJECTS} ${index + 1000}\r\n\r\n{"data":"${round}-${index}${'x'.repeat(1000)}"}`,
  },
];

function select(index: number): string {
  return `SELECT ${FOLDER}/c ${index + 1000}\r\n`;
}

/** Requests per CPU-second, then how long one takes while others keep the server half busy. */
export async function measureRequests(bench: Bench, floor: Floor, scale: Scale): Promise<Figure[]> {
  const [wire] = bench.wires;
  await wire?.ask('CREATE alice@localhost/a');
  await wire?.ask(`CREATE ${FOLDER}`);
  await wire?.ask(`CREATE ${FOLDER}/c`, `{"data":${ONE_KIB}}`);
  const figures: Figure[] = [];
  let selectsPerSecond = 0;
  for (const kind of KINDS) {
    const pairs = await inRounds(scale.rounds, async (round) => ({
      floor: await floor.run(scale.requests),
      rate: await runLoad({ ...bench, count: scale.requests, message: (index) => kind.message(index, round) }),
    }));
    figures.push(ratioFigure(kind.name, pairs, kind.atLeast));
    selectsPerSecond ||= median(pairs.map(({ rate }) => rate.perSecond));
  }
  return [...figures, ...(await measureLatency(bench, selectsPerSecond / 2))];
}

/** SELECTs sent at a steady pace, whether or not the ones before are answered. */
async function measureLatency({ wires }: Bench, perSecond: number): Promise<Figure[]> {
  const count = Math.round(perSecond * LATENCY_SECONDS);
  const sentAt = new Float64Array(count);
  const took: number[] = [];
  const all = new Promise<void>((resolve) => {
    for (const wire of wires) {
      wire.onMessage = (data) => {
        const index = Number(data.toString('latin1', 14, 32).split('\r')[0]) - 1000;
        took.push(performance.now() - (sentAt[index] ?? 0));
        if (took.length === count) {
          resolve();
        }
      };
    }
  });
  const began = performance.now();
  for (let sent = 0; sent < count; ) {
    const due = Math.min(count, Math.floor(((performance.now() - began) / 1000) * perSecond));
    for (; sent < due; sent++) {
      sentAt[sent] = performance.now();
      wires[sent % wires.length]?.socket.send(select(sent));
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await all;
  return [
    { name: `SELECT at half load (${Math.round(perSecond)} per second), median`, value: median(took), unit: 'ms' },
    { name: 'the same, 99th percentile', value: quantile(took, 0.99), unit: 'ms' },
  ];
}
