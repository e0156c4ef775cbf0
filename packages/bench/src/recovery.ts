import type { Figure } from './report.ts';
import { type Bench, startServer, urlOf } from './setup.ts';
import { Wire } from './wire.ts';

/** From `kill -9`, through a new start on the same data, to the first answer. Ends the bench's server. */
export async function measureRecovery({ server, data, token }: Bench): Promise<Figure> {
  await server.kill();
  const began = performance.now();
  const again = await startServer(data);
  const { wire } = await Wire.login(urlOf(again), { token });
  await wire.ask('SELECT alice@localhost/a/b/c');
  const seconds = (performance.now() - began) / 1000;
  await again.stop();
  return { name: 'from kill -9 to the first answer after a new start', value: seconds, unit: 's' };
}
