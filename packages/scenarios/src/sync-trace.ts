/**
 * Looks at a server from below: a trace of its system calls while one client writes, one write at a time. A killed process
 * loses nothing that the kernel has, so only this shows that a write is on the disk before its success is sent.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { ALICE, type ServerProcess, TestSession } from '@fosp/testkit';

export interface SyncTraceResult {
  /** Successes of writes that the trace shows being sent. */
  readonly successes: number;
  readonly syncs: number;
  /** Successes with no sync that ended since the one before. */
  readonly unsynced: readonly string[];
}

const TRACED = 'trace=fsync,fdatasync,write,writev,sendto,sendmsg';

/** Writes `rounds` times each of CREATE, UPDATE, WRITE and DELETE. Needs `strace`; `file` takes the trace. */
export async function traceWrites(server: ServerProcess, file: string, rounds: number): Promise<SyncTraceResult> {
  const session = await TestSession.register(server.url, ALICE);
  const tracer = spawn('strace', ['-f', '-p', String(server.pid), '-e', TRACED, '-s', '48', '-o', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await attached(tracer);
  for (let round = 0; round < rounds; round++) {
    const resource = `${ALICE}/traced${round}`;
    await session.succeed('CREATE', resource, { body: { data: round } });
    await session.succeed('UPDATE', resource, { body: { data: `changed ${round}` } });
    await session.succeed('WRITE', resource, { body: `file ${round}` });
    await session.succeed('DELETE', resource);
  }
  const ended = new Promise((resolve) => tracer.once('exit', resolve));
  tracer.kill('SIGINT');
  await ended;
  return judgeTrace(readFileSync(file, 'utf8'));
}

function attached(tracer: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    tracer.once('error', reject);
    if (tracer.stderr !== null) {
      createInterface(tracer.stderr).on('line', (line) => line.includes('attached') && resolve());
    }
    tracer.once('exit', (code) => reject(new Error(`strace ended with ${code}`)));
  });
}

/** In a trace with one write at a time: was there a sync between any two successes, and before the first? */
export function judgeTrace(trace: string): SyncTraceResult {
  const unsynced: string[] = [];
  let successes = 0;
  let syncs = 0;
  let syncedSince = false;
  for (const line of trace.split('\n')) {
    if (/\bf(?:data)?sync\b.*= 0$/.test(line)) {
      syncs++;
      syncedSince = true;
    } else if (/SUCCEEDED 20[14] /.test(line) && !line.includes('resumed')) {
      successes++;
      if (!syncedSince) {
        unsynced.push(line);
      }
      syncedSince = false;
    }
  }
  return { successes, syncs, unsynced };
}
