import type { Figure } from './report.ts';
import { Wire } from './wire.ts';

const FILE_BYTES = 20 * 1024 * 1024;
const ROUNDS = 10;

/** A file of 20 MiB there and back, again and again on one connection. */
export async function measureTransfers(url: string, token: string): Promise<Figure[]> {
  const { wire } = await Wire.login(url, { token });
  await wire.ask('CREATE alice@localhost/file');
  const file = Buffer.alloc(FILE_BYTES, 'fosp');
  await wire.ask('WRITE alice@localhost/file', file);
  const up = await rate(() => wire.ask('WRITE alice@localhost/file', file));
  const down = await rate(async () => {
    const answer = await wire.ask('READ alice@localhost/file');
    if (answer.length < FILE_BYTES) {
      throw new Error(`READ gave ${answer.length} bytes`);
    }
  });
  wire.socket.terminate();
  return [
    { name: 'WRITE of 20 MiB', value: up, unit: 'MB/s', target: { of: 'value', atLeast: 150 } },
    { name: 'READ of 20 MiB', value: down, unit: 'MB/s', target: { of: 'value', atLeast: 150 } },
  ];
}

async function rate(once: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  for (let round = 0; round < ROUNDS; round++) {
    await once();
  }
  return (ROUNDS * FILE_BYTES) / 1000 / (performance.now() - began);
}
