/** The queue that the bus keeps, for as long as its stream does. */
import type { Bus } from '@fosp/bus';
import type { RemoteQueue } from './remote-queue.ts';

export function busQueue(bus: Bus): RemoteQueue {
  return {
    start: async () => undefined,
    stop: async () => undefined,
    follow: (domain, bounds, feed) => bus.consumeRemote(domain, bounds, feed),
    length: (domain) => bus.queueLength(domain),
    lengths: () => bus.queueLengths(),
    trim: (domain, keep) => bus.trimQueue(domain, keep),
  };
}
