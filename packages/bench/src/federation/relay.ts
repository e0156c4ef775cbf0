/** What a forwarded SELECT costs where nothing is done but to read, write and pass on messages: see `relay-server.ts`. */
import { fileURLToPath } from 'node:url';
import type { CpuTimes } from '../cluster/processes.ts';
import { runLoad } from '../load.ts';
import { startMeasured } from '../process.ts';
import { Wire } from '../wire.ts';

const RELAY = fileURLToPath(new URL('relay-server.ts', import.meta.url));
const READY = /ready (\d+)/;

export interface Relay extends AsyncDisposable {
  /** CPU seconds of the asking side for so many requests, `window` of each connection on their way. */
  pass(requests: number, window: number): Promise<CpuTimes>;
}

/** With so many connections. */
export async function startRelay(connections: number): Promise<Relay> {
  const answering = await startMeasured(RELAY, READY, {}, ['wonderland.lit']);
  const to = `ws://127.0.0.1:${answering.ready[1]}`;
  const asking = await startMeasured(RELAY, READY, {}, ['realworld.lit', to]);
  const url = `ws://127.0.0.1:${asking.ready[1]}`;
  const wires = await Promise.all(Array.from({ length: connections }, () => Wire.open(url)));
  return {
    pass: async (count, window) => {
      const message = (index: number) => `SELECT host0@wonderland.lit/a/b/c ${index + 1000}\r\n`;
      const { perCpuSecond } = await runLoad({ server: asking, wires, window, count, message });
      return new Map([['relay', count / perCpuSecond]]);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([asking.stop(), answering.stop()]);
    },
  };
}
