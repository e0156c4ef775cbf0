import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, type Rate, runLoad } from './load.ts';
import { type Measured, startMeasured } from './process.ts';
import type { Figure } from './report.ts';
import { Wire } from './wire.ts';

const MAIN = fileURLToPath(new URL('../../../services/standalone/src/main.ts', import.meta.url));
const ECHO = fileURLToPath(new URL('echo-server.ts', import.meta.url));
const CONNECTIONS = 4;
const WINDOW = 32;
export const PASSWORD = 'bench bench';

/** How much is measured. */
export interface Scale {
  /** Requests per measurement. */
  readonly requests: number;
  /** Users that are connected at once, each once. */
  readonly crowd: number;
  /** Measurements of each kind, floor and server by turns; the median counts. */
  readonly rounds: number;
}

/** Measurements of the floor and of a server, taken right after each other. */
export interface Pair {
  readonly floor: Rate;
  readonly rate: Rate;
}

/** Starts standalone on this folder. Passwords are hashed cheaply, since thousands of accounts are made. */
export function startServer(
  dataDirectory: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Measured> {
  return startMeasured(MAIN, /"wsPort":(\d+)[\s\S]*"msg":"ready"/, {
    FOSP_DATA_DIR: dataDirectory,
    FOSP_WS_PORT: '0',
    FOSP_ADMIN_PORT: '0',
    FOSP_HASH_MEMORY: '1 MiB',
    FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: '1000000',
    ...environment,
  });
}

/** The floor, with connections of its own. */
export class Floor {
  readonly #server: Measured;
  readonly #wires: readonly Wire[];

  private constructor(server: Measured, wires: readonly Wire[]) {
    this.#server = server;
    this.#wires = wires;
  }

  static async start(): Promise<Floor> {
    const server = await startMeasured(ECHO, /ready (\d+)/);
    const url = `ws://127.0.0.1:${server.ready[1]}`;
    return new Floor(server, await Promise.all(Array.from({ length: CONNECTIONS }, () => Wire.open(url))));
  }

  /** Echoes of a message as large as the answer to a SELECT of 1 KiB. */
  async run(count: number): Promise<Rate> {
    const message = `E${'x'.repeat(1150)}`;
    return await runLoad({ server: this.#server, wires: this.#wires, window: WINDOW, count, message: () => message });
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }
}

/** A server with alice logged in on some connections; `data` goes with it. */
export class Bench {
  readonly data: string;
  readonly server: Measured;
  readonly url: string;
  readonly token: string;
  readonly wires: readonly Wire[];
  readonly window = WINDOW;

  private constructor(parts: Pick<Bench, 'data' | 'server' | 'url' | 'token' | 'wires'>) {
    this.data = parts.data;
    this.server = parts.server;
    this.url = parts.url;
    this.token = parts.token;
    this.wires = parts.wires;
  }

  /** `environment` beside what `startServer` gives. */
  static async start(environment: Readonly<Record<string, string>> = {}): Promise<Bench> {
    const data = mkdtempSync(join(tmpdir(), 'fosp-bench-'));
    const server = await startServer(data, environment);
    const url = urlOf(server);
    const first = await Wire.open(url);
    await first.ask('CONNECT *', '{"version":"0.1"}');
    await first.ask('REGISTER *', JSON.stringify({ name: 'alice', password: PASSWORD }));
    const { token } = await Wire.login(url, { name: 'alice', password: PASSWORD });
    const wires = await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => (await Wire.login(url, { token })).wire),
    );
    return new Bench({ data, server, url, token, wires });
  }

  /** One connection and a tree with `/a/b/c` of 1 KiB. */
  async place(): Promise<{ readonly wire: Wire; readonly tree: string }> {
    const { wire } = await Wire.login(this.url, { token: this.token });
    const tree = 'alice@localhost';
    await wire.ask(`CREATE ${tree}/a`);
    await wire.ask(`CREATE ${tree}/a/b`);
    await wire.ask(`CREATE ${tree}/a/b/c`, `{"data":"${'x'.repeat(1022)}"}`);
    return { wire, tree };
  }

  async stop(): Promise<void> {
    await this.server.stop();
    rmSync(this.data, { recursive: true, force: true });
  }
}

export function urlOf(server: Measured): string {
  return `ws://127.0.0.1:${server.ready[1]}`;
}

/** Measures in rounds, of which the first only warms up. */
export async function inRounds(rounds: number, measure: (round: number) => Promise<Pair>): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for (let round = 0; round <= rounds; round++) {
    const pair = await measure(round);
    if (round > 0) {
      pairs.push(pair);
    }
  }
  return pairs;
}

export function ratioFigure(name: string, pairs: readonly Pair[], atLeast?: number): Figure {
  const ratio = median(pairs.map(({ floor, rate }) => rate.perCpuSecond / floor.perCpuSecond));
  const value = median(pairs.map(({ rate }) => rate.perCpuSecond));
  const figure = { name, value, unit: 'per CPU-second', ratio };
  return atLeast === undefined ? figure : { ...figure, target: { of: 'ratio', atLeast } };
}
