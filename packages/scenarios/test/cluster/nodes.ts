/**
 * Two nodes with all services each, which reach each other by NATS alone and share Postgres, Redis and S3: two gateways, two
 * notifications, two objects. Unlike processes they let a test stand between a service and the bus.
 */
import { connectNats } from '@fosp/bus/nats';
import { Metrics } from '@fosp/runtime';
import { createStandalone } from '@fosp/standalone';
import {
  type FaultShares,
  type Faults,
  type Infrastructure,
  temporaryDirectory,
  unreliableTransport,
} from '@fosp/testkit';

export interface Node {
  readonly url: string;
  /** The sum of a metric. */
  metric(name: string): Promise<number>;
}

export interface Nodes extends AsyncDisposable {
  readonly all: readonly [Node, Node];
  /** How often each fault struck. */
  readonly struck: ReadonlyMap<keyof FaultShares, number>;
}

export async function startNodes(infrastructure: Infrastructure, faults: Omit<Faults, 'struck'>): Promise<Nodes> {
  await using started = new AsyncDisposableStack();
  const struck = new Map<keyof FaultShares, number>();
  const count = (fault: keyof FaultShares) => struck.set(fault, (struck.get(fault) ?? 0) + 1);
  const start = async (): Promise<Node> => {
    const { path } = started.use(await temporaryDirectory());
    const { url } = infrastructure.nats;
    const transport = unreliableTransport(await connectNats({ url, ...PATIENT, warn: () => undefined }), {
      ...faults,
      struck: count,
    });
    const metrics = new Metrics();
    const node = createStandalone(
      { ...ENVIRONMENT, ...infrastructure.environment, FOSP_DATA_DIR: path },
      { transport, metrics },
    );
    const addresses = await node.start();
    started.defer(() => node.drain());
    return { url: addresses.url, metric: (name) => sumOf(metrics, name) };
  };
  const all = [await start(), await start()] as const;
  const rest = started.move();
  return { all, struck, [Symbol.asyncDispose]: () => rest.disposeAsync() };
}

/** Faults are those of the test alone, however long this machine stands still. */
const PATIENT = { pingInterval: 60_000, callSilence: 60_000, leaseTimeToLive: 10_000 };

const ENVIRONMENT = {
  FOSP_DOMAIN: 'wonderland.lit',
  FOSP_HOST: '127.0.0.1',
  FOSP_WS_PORT: '0',
  FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: '100000',
  FOSP_HASH_MEMORY: '1 MiB',
  FOSP_DRAIN_SECONDS: '5',
};

async function sumOf(metrics: Metrics, name: string): Promise<number> {
  const { body } = await metrics.text();
  const lines = body.split('\n').filter((line) => line.split(/[ {]/, 1)[0] === name);
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Repeatable chance, 0 … 1. */
export function chanceFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
