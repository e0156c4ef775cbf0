import type { Measured } from './process.ts';
import type { Figure } from './report.ts';
import { Wire } from './wire.ts';

const AT_ONCE = 50;
const KIB = 1024;

/** Logged-in connections that do nothing: how much memory each takes. */
export async function measureIdle(
  url: string,
  token: string,
  { server, connections }: { readonly server: Measured; readonly connections: number },
): Promise<Figure> {
  const before = server.residentBytes();
  const wires: Wire[] = [];
  for (let opened = 0; opened < connections; opened += AT_ONCE) {
    wires.push(
      ...(await Promise.all(Array.from({ length: AT_ONCE }, async () => (await Wire.login(url, { token })).wire))),
    );
  }
  const each = (server.residentBytes() - before) / wires.length / KIB;
  for (const wire of wires) {
    wire.socket.terminate();
  }
  return {
    name: `memory per idle connection, of ${wires.length}`,
    value: each,
    unit: 'KiB',
    target: { of: 'value', atMost: 25 },
  };
}
