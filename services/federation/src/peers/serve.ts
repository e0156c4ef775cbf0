/** Sees to it that somebody talks to a domain, for whoever wants something of it. */
import { type Bus, type BusSubscription, FEDERATION, totalOf } from '@fosp/bus';
import { detached } from '@fosp/runtime';
import type { RemoteQueue } from '../queue/remote-queue.ts';
import type { Ownership } from './ownership.ts';

const NONE: ReadonlyMap<string, number> = new Map();

export interface ServeOwnershipDeps {
  readonly bus: Bus;
  readonly ownership: Ownership;
  readonly queue: Pick<RemoteQueue, 'lengths'>;
  readonly limits: {
    /** Calls at once that ask for somebody to talk to a domain. */
    readonly adoptions: number;
    /** For somebody to take a domain whose owner may have died. */
    readonly adoptionSeconds: number;
  };
}

export async function serveOwnership({
  bus,
  ownership,
  queue,
  limits,
}: ServeOwnershipDeps): Promise<BusSubscription[]> {
  const adopted = bus.serve(
    FEDERATION.adopt,
    async ({ fields }) => {
      // What begins here goes on for as long as the domain is talked to.
      await detached(() => ownership.adopt(fields.domain, limits.adoptionSeconds));
      return { fields: {} };
    },
    { concurrency: limits.adoptions },
  );
  const told = bus.answerAll(FEDERATION.peers, async () => {
    const queued = await queue.lengths();
    const statuses = ownership.peers.map((peer) => peer.status(totalOf(queued.get(peer.domain) ?? NONE)));
    return { fields: {}, body: Buffer.from(JSON.stringify(statuses)) };
  });
  return [await adopted, await told];
}
