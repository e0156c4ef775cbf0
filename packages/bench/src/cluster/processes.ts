/** What CPU time and memory the processes of a cluster take, as the kernel counts them. */
import { readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** CPU seconds so far, by what the processes are; `gateway`, `postgres` and so on. */
export type CpuTimes = ReadonlyMap<string, number>;

/**
 * User and system time of these processes, all threads, with their children: those that run, and those that ended. Postgres
 * has a process per connection, HAProxy one that does the work.
 */
export function cpuSecondsOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuTicksOf(pid), 0) / TICKS_PER_SECOND;
}

function cpuTicksOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // utime, stime, and those of children that ended and were waited for.
    const own = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return childrenOf(pid).reduce((sum, child) => sum + cpuTicksOf(child), own);
  } catch {
    // It ended at this moment, and counts as a child of its parent from now on.
    return 0;
  }
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

/** Resident memory in bytes. */
export function residentBytesOf(pid: number): number {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+) kB/);
  return Number(line?.[1] ?? 0) * 1024;
}

export function cpuBetween(before: CpuTimes, after: CpuTimes): CpuTimes {
  return new Map([...after].map(([name, seconds]) => [name, seconds - (before.get(name) ?? 0)]));
}

export function sumOf(times: CpuTimes): number {
  return [...times.values()].reduce((sum, seconds) => sum + seconds, 0);
}
