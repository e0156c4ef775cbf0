/** What the parts of a cluster cost at least: a question by NATS from one process to another, a value from Redis. */
import { fileURLToPath } from 'node:url';
import { connect } from '@nats-io/transport-node';
import { Redis } from 'ioredis';
import { startMeasured } from '../process.ts';
import type { Figure } from '../report.ts';
import type { ClusterBench } from './setup.ts';

const RESPONDER = fileURLToPath(new URL('nats-responder.ts', import.meta.url));
/** Questions on their way at once. */
const WINDOW = 64;
const BYTES = 1150;

/** Questions per CPU-second of both processes and the server. */
export async function measureNats(bench: ClusterBench, count: number): Promise<Figure> {
  const { url } = bench.cluster.infrastructure.nats;
  const responder = await startMeasured(RESPONDER, /ready/, {}, [url]);
  const connection = await connect({ servers: url });
  const body = Buffer.alloc(BYTES, 'x');
  const cpu = () => bench.cpuOf('nats') + responder.cpuSeconds() + ownCpuSeconds();
  const ask = () => connection.request('floor', body, { timeout: 10_000 });
  const perCpuSecond = await inWindow(ask, count, cpu);
  await connection.close();
  await responder.stop();
  return { name: 'floor: a NATS round trip of 1 KiB', value: perCpuSecond, unit: 'per CPU-second' };
}

/** Values per CPU-second of the server and whoever asks. */
export async function measureRedis(bench: ClusterBench, count: number): Promise<Figure> {
  const redis = new Redis(bench.cluster.infrastructure.redis.url);
  await redis.set('floor', 'x'.repeat(BYTES));
  const cpu = () => bench.cpuOf('redis') + ownCpuSeconds();
  const perCpuSecond = await inWindow(() => redis.getBuffer('floor'), count, cpu);
  redis.disconnect();
  return { name: 'floor: a Redis GET of 1 KiB', value: perCpuSecond, unit: 'per CPU-second' };
}

async function inWindow(ask: () => Promise<unknown>, count: number, cpu: () => number): Promise<number> {
  const run = async (asked: number) => {
    let left = asked;
    const work = async () => {
      while (left-- > 0) {
        await ask();
      }
    };
    await Promise.all(Array.from({ length: WINDOW }, work));
  };
  await run(count / 4);
  const before = cpu();
  await run(count);
  return count / (cpu() - before);
}

function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
