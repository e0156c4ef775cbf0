/** The bench in small: that it measures all that it names. How much is a matter of the machine, and judged by `pnpm bench`. */
import { clusterInstalled } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { measureCluster } from '../src/cluster/cluster.ts';
import { measureDeadPeers } from '../src/dead-peers/dead-peers.ts';
import { measureFederation } from '../src/federation/federation.ts';
import { type Figure, table } from '../src/report.ts';
import { measureStandalone } from '../src/standalone.ts';

const SMALL = { requests: 1000, crowd: 200, rounds: 1 };
const FILE_MEBIBYTES = 32;

function expectMeasured(figures: readonly Figure[]): void {
  const page = table(figures);
  expect(figures.length, page).toBeGreaterThan(0);
  for (const { name, value, ratio } of figures) {
    expect(Number.isFinite(value), `${name}\n${page}`).toBe(true);
    expect(Number.isFinite(ratio ?? 0), `${name}\n${page}`).toBe(true);
  }
}

describe('the bench in small', () => {
  it('measures one process', { timeout: 300_000 }, async () => {
    expectMeasured(await measureStandalone(SMALL));
  });

  it('measures neighbours', { timeout: 300_000 }, async () => {
    const [numbers] = await measureFederation(SMALL, ['standalone']);
    expectMeasured(numbers?.figures ?? []);
  });

  it('measures a server beside others that are dead', { timeout: 300_000 }, async () => {
    const size = { alone: 10, together: 100, warmUp: 100, rounds: 2, settleSeconds: 0, idleSeconds: 1 };
    const { figures, answers } = await measureDeadPeers({ kind: 'standalone', domains: 12, ...size });
    expectMeasured(figures);
    expect([...answers.keys()]).toEqual(['FAILED 504']);
  });

  it.skipIf(!clusterInstalled())('measures a cluster, and where its time goes', { timeout: 600_000 }, async () => {
    const { figures, shares } = await measureCluster(SMALL, FILE_MEBIBYTES);
    expectMeasured(figures);
    expect([...shares.keys()]).toEqual(['SELECT', 'CREATE', 'UPDATE']);
    for (const [kind, times] of shares) {
      expect([...times.keys()], kind).toEqual(expect.arrayContaining(['gateway', 'objects', 'postgres', 'nats']));
    }
  });
});
