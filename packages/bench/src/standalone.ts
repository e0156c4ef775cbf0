/**
 * The numbers of standalone. Requests and echoes are counted per CPU-second of the process that answers them, and compared
 * within one run: absolute rates on a shared machine say little.
 */
import { rmSync } from 'node:fs';
import { measureCrowd } from './crowd.ts';
import { measureRecovery } from './recovery.ts';
import type { Figure } from './report.ts';
import { measureRequests } from './requests.ts';
import { Bench, Floor, type Scale } from './setup.ts';
import { measureTransfers } from './transfers.ts';

export async function measureStandalone(scale: Scale): Promise<Figure[]> {
  const floor = await Floor.start();
  const bench = await Bench.start();
  try {
    const ready = bench.server.readyMs / 1000;
    return [
      { name: 'ready after start', value: ready, unit: 's', target: { of: 'value', atMost: 1 } },
      // Before a million writes, which the disk is still busy with for a while.
      ...(await measureTransfers(bench.url, bench.token, bench.data)),
      ...(await measureRequests(bench, floor, scale)),
      await measureRecovery(bench),
      ...(await measureCrowd(floor, scale)),
    ];
  } finally {
    await floor.stop();
    rmSync(bench.data, { recursive: true, force: true });
  }
}
