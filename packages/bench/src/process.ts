import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** A program under measurement, started as a process of its own. */
export interface Measured {
  readonly pid: number;
  /** What its first matching line said. */
  readonly ready: RegExpMatchArray;
  /** Milliseconds from spawn to that line. */
  readonly readyMs: number;
  /** CPU seconds it used so far, user and system, all threads. */
  cpuSeconds(): number;
  /** Resident memory in bytes. */
  residentBytes(): number;
  stop(): Promise<void>;
  /** `kill -9`. */
  kill(): Promise<void>;
}

/** Starts `node script` and waits for a line that matches `ready`. */
export async function startMeasured(
  script: string,
  ready: RegExp,
  environment: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
): Promise<Measured> {
  const began = performance.now();
  const child = spawn(process.execPath, [script, ...args], {
    env: { PATH: '/usr/bin:/bin', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const match = await firstMatch(child, ready);
  const readyMs = performance.now() - began;
  const pid = child.pid ?? 0;
  return {
    pid,
    ready: match,
    readyMs,
    cpuSeconds: () => cpuSecondsOf(pid),
    residentBytes: () => residentBytesOf(pid),
    stop: () => end(child, 'SIGTERM'),
    kill: () => end(child, 'SIGKILL'),
  };
}

function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill(signal);
  });
}

function firstMatch(child: ChildProcess, ready: RegExp): Promise<RegExpMatchArray> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
      text = text.length > 1_000_000 ? piece : text + piece;
      const match = text.match(ready);
      if (match !== null) {
        resolve(match);
      }
    });
    child.once('exit', (code) => reject(new Error(`ended with ${code} before it was ready:\n${text}`)));
  });
}

/** By the scheduler's own account, in nanoseconds: the ticks of `stat` are too coarse for a few thousand requests. */
function cpuSecondsOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) => Number(schedstatOf(pid, thread).split(' ')[0]));
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e9;
}

function schedstatOf(pid: number, thread: string): string {
  try {
    return readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8');
  } catch {
    // It ended just now: Node's threads end with its process.
    return '0';
  }
}

function residentBytesOf(pid: number): number {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+) kB/);
  return Number(line?.[1] ?? 0) * 1024;
}
