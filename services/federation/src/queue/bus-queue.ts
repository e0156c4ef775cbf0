/** The queue that the bus keeps, for as long as its streams do. */
import type { Bus } from '@fosp/bus';
import type { RemoteQueue } from './remote-queue.ts';

/** `domains`: ours. What an older program kept for none of them is taken by the first one's line, to be dropped there. */
export function busQueue(bus: Bus, domains: readonly string[]): RemoteQueue {
  return {
    start: async () => undefined,
    stop: async () => undefined,
    follow: (line, bounds, feed) => {
      const takesOthers = line.own === domains[0];
      const takes = (own: string) => own === line.own || (takesOthers && !domains.includes(own));
      return bus.consumeRemote(line, { ...bounds, takes }, feed);
    },
    lineLengths: (domain) => bus.lineLengths(domain),
    lengths: () => bus.queueLengths(),
    trim: (line, keep) => bus.trimQueue(line, keep),
  };
}
