/**
 * The numbers of DESIGN for standalone. Requests and echoes are counted per CPU-second of the process that answers them,
 * and compared within one run: absolute rates on a shared machine say little.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measureIdle } from './idle.ts';
import { type Rate, rateOf, runLoad } from './load.ts';
import { type Measured, startMeasured } from './process.ts';
import type { Figure } from './report.ts';
import { measureTransfers } from './transfers.ts';
import { Wire } from './wire.ts';

const MAIN = fileURLToPath(new URL('../../../services/standalone/src/main.ts', import.meta.url));
const ECHO = fileURLToPath(new URL('echo-server.ts', import.meta.url));
const ONE_KIB = `"${'x'.repeat(1022)}"`;
const FOLDER = 'alice@localhost/a/b';
const WATCHED = 'alice@localhost/watched';
const PASSWORD = 'bench bench';
const CONNECTIONS = 4;
const WINDOW = 32;
const SUBSCRIBERS = 50;
/** How many objects the UPDATEs are spread over: those of one object would wait for each other, and so for the disk. */
const OBJECTS = 5000;

export interface Scale {
  /** Requests per measurement. */
  readonly requests: number;
  readonly idleConnections: number;
  /** Measurements of each kind, floor and server by turns; the median counts. */
  readonly rounds: number;
}

export async function measureStandalone(scale: Scale): Promise<Figure[]> {
  const data = mkdtempSync(join(tmpdir(), 'fosp-bench-'));
  const server = await startMeasured(MAIN, /"wsPort":(\d+)[\s\S]*"msg":"ready"/, {
    FOSP_DATA_DIR: data,
    FOSP_WS_PORT: '0',
    FOSP_ADMIN_PORT: '0',
    FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: '1000',
  });
  const echo = await startMeasured(ECHO, /ready (\d+)/);
  try {
    const bench = await prepare(server, echo);
    const figures = [readyFigure(server), ...(await measureRequests(bench, scale))];
    figures.push(await measureNotifications(bench, scale));
    figures.push(...(await measureTransfers(bench.url, bench.token, data)));
    figures.push(await measureIdle(bench.url, bench.token, { server, connections: scale.idleConnections }));
    return figures;
  } finally {
    await Promise.all([server.stop(), echo.stop()]);
    rmSync(data, { recursive: true });
  }
}

interface Bench {
  readonly server: Measured;
  readonly echo: Measured;
  readonly url: string;
  readonly token: string;
  readonly wires: readonly Wire[];
  readonly echoes: readonly Wire[];
}

async function prepare(server: Measured, echo: Measured): Promise<Bench> {
  const url = `ws://127.0.0.1:${server.ready[1]}`;
  const echoUrl = `ws://127.0.0.1:${echo.ready[1]}`;
  const first = await Wire.open(url);
  await first.ask('CONNECT *', '{"version":"0.1"}');
  await first.ask('REGISTER *', JSON.stringify({ name: 'alice', password: PASSWORD }));
  const { wire, token } = await Wire.login(url, { name: 'alice', password: PASSWORD });
  await wire.ask('CREATE alice@localhost/a');
  await wire.ask(`CREATE ${FOLDER}`);
  await wire.ask(`CREATE ${FOLDER}/c`, `{"data":${ONE_KIB}}`);
  const wires = await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => (await Wire.login(url, { token })).wire),
  );
  const echoes = await Promise.all(Array.from({ length: CONNECTIONS }, () => Wire.open(echoUrl)));
  return { server, echo, url, token, wires, echoes };
}

function readyFigure(server: Measured): Figure {
  return { name: 'ready after start', value: server.readyMs / 1000, unit: 's', target: { of: 'value', atMost: 1 } };
}

interface Kind {
  readonly name: string;
  readonly atLeast: number;
  readonly message: (index: number, round: number) => string;
}

async function measureRequests(bench: Bench, scale: Scale): Promise<Figure[]> {
  const figures: Figure[] = [];
  const kinds: readonly Kind[] = [
    { name: 'SELECT, 1 KiB at depth 3', atLeast: 0.25, message: (index) => `SELECT ${FOLDER}/c ${index + 1000}\r\n` },
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
  for (const kind of kinds) {
    const pairs: { floor: Rate; rate: Rate }[] = [];
    for (let round = 0; round < scale.rounds + 1; round++) {
      const floor = await runEcho(bench, scale.requests);
      const rate = await runLoad({
        ...loadOf(bench),
        count: scale.requests,
        message: (index) => kind.message(index, round),
      });
      if (round > 0) {
        pairs.push({ floor, rate });
      }
    }
    figures.push(ratioFigure(kind.name, pairs, kind.atLeast));
  }
  return figures;
}

function loadOf({ server, wires }: Bench): { server: Measured; wires: readonly Wire[]; window: number } {
  return { server, wires, window: WINDOW };
}

/** Echoes of a message as large as a SELECT's answer. */
async function runEcho({ echo, echoes }: Bench, count: number): Promise<Rate> {
  const message = `E${'x'.repeat(1150)}`;
  return await runLoad({ server: echo, wires: echoes, window: WINDOW, count, message: () => message });
}

function ratioFigure(name: string, pairs: readonly { floor: Rate; rate: Rate }[], atLeast: number): Figure {
  const ratio = median(pairs.map(({ floor, rate }) => rate.perCpuSecond / floor.perCpuSecond));
  const value = median(pairs.map(({ rate }) => rate.perCpuSecond));
  return { name, value, unit: 'per CPU-second', ratio, target: { of: 'ratio', atLeast } };
}

/** UPDATEs of objects in a folder that 50 users have subscribed to. */
async function measureNotifications(bench: Bench, scale: Scale): Promise<Figure> {
  const updates = Math.max(200, Math.round(scale.requests / SUBSCRIBERS));
  let delivered = 0;
  let arrived: () => void = () => undefined;
  for (const reader of await subscribe(bench)) {
    reader.onMessage = () => {
      delivered++;
      arrived();
    };
  }
  const pairs: { floor: Rate; rate: Rate }[] = [];
  for (let round = 0; round < scale.rounds + 1; round++) {
    const floor = await runEcho(bench, scale.requests);
    delivered = 0;
    const cpu = bench.server.cpuSeconds();
    const began = performance.now();
    const all = new Promise<void>((resolve) => {
      arrived = () => delivered === updates * SUBSCRIBERS && resolve();
    });
    await runLoad({
      ...loadOf(bench),
      window: 8,
      count: updates,
      message: (index) =>
        `UPDATE ${WATCHED}/n${index % 100} ${index + 1000}\r\n\r\n{"data":"${round}-${index}${'x'.repeat(1000)}"}`,
    });
    await all;
    const rate = rateOf(updates * SUBSCRIBERS, bench.server.cpuSeconds() - cpu, performance.now() - began);
    if (round > 0) {
      pairs.push({ floor, rate });
    }
  }
  return ratioFigure(`notifications to ${SUBSCRIBERS} subscribers`, pairs, 0.5);
}

/** A folder with a hundred objects, and fifty users who are told of what changes in it. */
async function subscribe({ url, wires }: Bench): Promise<Wire[]> {
  const readers: Wire[] = [];
  const subscriptions: Record<string, object> = {};
  const users: Record<string, string[]> = {};
  for (let index = 0; index < SUBSCRIBERS; index++) {
    const name = `reader${index}`;
    const wire = await Wire.open(url);
    await wire.ask('CONNECT *', '{"version":"0.1"}');
    await wire.ask('REGISTER *', JSON.stringify({ name, password: PASSWORD }));
    await wire.ask('AUTHENTICATE *', JSON.stringify({ name, password: PASSWORD }));
    subscriptions[`${name}@localhost`] = { events: ['updated'], depth: 1 };
    users[`${name}@localhost`] = ['read-data'];
    readers.push(wire);
  }
  const [wire] = wires;
  await wire?.ask(`CREATE ${WATCHED}`, JSON.stringify({ subscriptions, acl: { users } }));
  for (let index = 0; index < 100; index++) {
    await wire?.ask(`CREATE ${WATCHED}/n${index}`, '{"data":""}');
  }
  return readers;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
