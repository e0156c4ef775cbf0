import { join } from 'node:path';
import { installed, ServerProcess, temporaryDirectory } from '@fosp/testkit';
import { describe, expect, it } from 'vitest';
import { judgeTrace, traceWrites } from '../src/sync-trace.ts';

const strace = installed('strace');

describe('syncs', () => {
  it.runIf(strace)(
    'F27 F28 F29 F31 are done before the success of a write is sent, as a trace of system calls shows',
    async () => {
      await using directory = await temporaryDirectory();
      await using server = await ServerProcess.start({ dataDirectory: join(directory.path, 'data') });
      const { successes, syncs, unsynced } = await traceWrites(server, join(directory.path, 'trace'), 20);
      expect(unsynced).toEqual([]);
      expect(successes).toBe(80);
      expect(syncs).toBeGreaterThanOrEqual(80);
    },
  );

  it('are missed where there are none', () => {
    const trace = [
      '7 fdatasync(20) = 0',
      '7 write(30, "\\201\\25SUCCEEDED 204 1") = 23',
      '7 write(30, "\\201\\25SUCCEEDED 201 2") = 23',
    ];
    expect(judgeTrace(trace.join('\n')).unsynced).toEqual([trace[2]]);
  });
});
