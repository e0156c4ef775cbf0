import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Figure } from './report.ts';
import { Wire } from './wire.ts';

const FILE_BYTES = 20 * 1024 * 1024;
const ROUNDS = 20;
const WARM_UP = 10;

/**
 * A file of 20 MiB there and back, again and again on one connection; by turns with the disk alone, since a WRITE is
 * answered once its bytes are on it. `folder` is on the disk that the server uses.
 */
export async function measureTransfers(url: string, token: string, folder: string): Promise<Figure[]> {
  const { wire } = await Wire.login(url, { token });
  await wire.ask('CREATE alice@localhost/file');
  const file = Buffer.alloc(FILE_BYTES, 'fosp');
  for (let round = 0; round < WARM_UP; round++) {
    await wire.ask('WRITE alice@localhost/file', file);
    await read(wire);
  }
  const times = { disk: 0, up: 0, down: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    times.disk += await timed(() => writeToDisk(join(folder, 'floor'), file));
    times.up += await timed(() => wire.ask('WRITE alice@localhost/file', file));
    times.down += await timed(() => read(wire));
  }
  wire.socket.terminate();
  const disk = rate(times.disk);
  const up = rate(times.up);
  return [
    { name: 'floor: 20 MiB written to the disk and synced', value: disk, unit: 'MB/s' },
    { name: 'WRITE of 20 MiB', value: up, unit: 'MB/s', ratio: up / disk, target: { of: 'value', atLeast: 150 } },
    { name: 'READ of 20 MiB', value: rate(times.down), unit: 'MB/s', target: { of: 'value', atLeast: 150 } },
  ];
}

async function read(wire: Wire): Promise<void> {
  const answer = await wire.ask('READ alice@localhost/file');
  if (answer.length < FILE_BYTES) {
    throw new Error(`READ gave ${answer.length} bytes`);
  }
}

async function writeToDisk(path: string, file: Uint8Array): Promise<void> {
  const descriptor = openSync(path, 'w');
  writeSync(descriptor, file);
  fdatasyncSync(descriptor);
  closeSync(descriptor);
  rmSync(path);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** MB/s over all rounds, of their time in milliseconds. */
function rate(milliseconds: number): number {
  return (ROUNDS * FILE_BYTES) / 1000 / milliseconds;
}
