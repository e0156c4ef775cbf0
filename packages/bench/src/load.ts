import type { Measured } from './process.ts';
import type { Wire } from './wire.ts';

/** What one measurement found. */
export interface Rate {
  readonly count: number;
  /** Per CPU-second of the measured process. */
  readonly perCpuSecond: number;
  /** Per second of the clock: depends on the machine's other load. */
  readonly perSecond: number;
}

export interface LoadOptions {
  readonly server: Pick<Measured, 'cpuSeconds'>;
  readonly wires: readonly Wire[];
  /** Messages on their way per connection. */
  readonly window: number;
  readonly count: number;
  /** The whole message, by its number. */
  readonly message: (index: number, wire: number) => string;
}

/** Sends `count` messages, `window` at a time on each connection, each expecting one message back. */
export async function runLoad(options: LoadOptions): Promise<Rate> {
  const { server, wires, window, count } = options;
  let sent = 0;
  let answered = 0;
  const cpu = server.cpuSeconds();
  const began = performance.now();
  await new Promise<void>((resolve, reject) => {
    wires.forEach((wire, index) => {
      const send = (): void => {
        if (sent < count) {
          wire.socket.send(options.message(sent++, index));
        }
      };
      wire.onMessage = (data) => {
        answered++;
        if (data[0] === FAILED) {
          reject(new Error(data.toString('utf8', 0, 300)));
        }
        if (answered === count) {
          resolve();
        }
        send();
      };
      for (let started = 0; started < window; started++) {
        send();
      }
    });
  });
  return rateOf(count, server.cpuSeconds() - cpu, performance.now() - began);
}

const FAILED = 'F'.charCodeAt(0);

export function rateOf(count: number, cpuSeconds: number, milliseconds: number): Rate {
  return { count, perCpuSecond: count / cpuSeconds, perSecond: (count / milliseconds) * 1000 };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
