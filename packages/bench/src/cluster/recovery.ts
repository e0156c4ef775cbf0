/** How long a cluster is without one of its services' answers where a process of each is killed, its twin still there. */
import type { ServiceName } from '@fosp/testkit';
import type { Figure } from '../report.ts';
import type { BenchUser } from '../users.ts';
import { Wire } from '../wire.ts';
import type { ClusterBench } from './setup.ts';

const ASKS: Readonly<Record<Exclude<ServiceName, 'federation'>, (wire: Wire, tree: string) => Promise<unknown>>> = {
  objects: (wire, tree) => wire.ask(`UPDATE ${tree}/a/b/c`, `{"data":"${performance.now()}"}`),
  notifications: (wire, tree) => wire.ask(`UPDATE ${tree}/a/b/c`, `{"data":"${performance.now()}"}`),
  attachments: (wire, tree) => wire.ask(`WRITE ${tree}/a/b/c`, 'a file'),
  gateway: (wire, tree) => wire.ask(`SELECT ${tree}/a/b/c`),
};

/** Each figure: from `kill -9` to the first answer, for notifications to the first one that is told, on a new connection. */
export async function measureRecovery(bench: ClusterBench, { token, name }: BenchUser): Promise<Figure[]> {
  const figures: Figure[] = [];
  const watching = { subscriptions: { [name]: { events: ['updated'], depth: 1 } } };
  for (const [service, ask] of Object.entries(ASKS)) {
    const [pod] = bench.cluster.pods.filter(({ program }) => program === service);
    await pod?.kill();
    const began = performance.now();
    const { wire } = await Wire.login(bench.url, { token });
    const told = Promise.withResolvers<void>();
    wire.onMessage = () => told.resolve();
    if (service === 'notifications') {
      await wire.ask(`UPDATE ${name}/a/b`, JSON.stringify(watching));
      await ask(wire, name);
      await told.promise;
    } else {
      await ask(wire, name);
    }
    const value = (performance.now() - began) / 1000;
    figures.push({
      name: `from kill -9 of one of ${service} to service`,
      value,
      unit: 's',
      target: { of: 'value', atMost: 5 },
    });
    wire.socket.terminate();
    await pod?.start();
  }
  return figures;
}
