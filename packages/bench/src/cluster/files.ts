/** One large file there and back through the cluster, and what it takes of the gateways' memory. */
import { FospClient } from '@fosp/client';
import type { Figure } from '../report.ts';
import type { BenchUser } from '../users.ts';
import { residentBytesOf } from './processes.ts';
import type { ClusterBench } from './setup.ts';

const MIB = 1024 * 1024;
const PIECE = Buffer.alloc(MIB, 'fosp');
const LOOK_MS = 50;

/** `size` in MiB. */
export async function measureFile(bench: ClusterBench, user: BenchUser, size: number): Promise<Figure[]> {
  const client = await FospClient.connect({
    url: bench.url,
    credentials: { token: user.token },
    requestTimeoutMs: 120_000,
  });
  const resource = `${user.name}/large`;
  await client.create(resource, {});
  // The first round makes what is made once: connections, buffers, code.
  await up(client, resource, 64);
  await down(client, resource);
  const wrote = await watched(bench, () => up(client, resource, size));
  const read = await watched(bench, () => down(client, resource));
  client.close();
  return [
    { name: `WRITE of ${size} MiB`, value: size / wrote.seconds, unit: 'MiB/s' },
    { name: 'memory that it took of a gateway at most', value: wrote.grown / MIB, unit: 'MiB' },
    { name: `READ of ${size} MiB`, value: size / read.seconds, unit: 'MiB/s' },
    {
      name: 'memory that it took of a gateway at most',
      value: read.grown / MIB,
      unit: 'MiB',
      target: { of: 'value', atMost: 64 },
    },
  ];
}

async function up(client: FospClient, resource: string, pieces: number): Promise<void> {
  await client.write(resource, repeated(pieces), { size: pieces * MIB });
}

async function* repeated(pieces: number): AsyncGenerator<Uint8Array> {
  for (let piece = 0; piece < pieces; piece++) {
    yield PIECE;
  }
}

async function down(client: FospClient, resource: string): Promise<void> {
  const { body } = await client.read(resource);
  for await (const piece of body) {
    if (piece.length === 0) {
      throw new Error('A download gave an empty piece');
    }
  }
}

/** How long it took, and by how many bytes the gateway grew that grew most. */
async function watched(bench: ClusterBench, work: () => Promise<void>): Promise<{ seconds: number; grown: number }> {
  const gateways = bench.cluster
    .podsOf('gateway')
    .map(({ process: { pid } }) => ({ pid, before: residentBytesOf(pid) }));
  let grown = 0;
  const look = () => {
    for (const { pid, before } of gateways) {
      grown = Math.max(grown, residentBytesOf(pid) - before);
    }
  };
  const timer = setInterval(look, LOOK_MS);
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1000;
  clearInterval(timer);
  look();
  return { seconds, grown };
}
