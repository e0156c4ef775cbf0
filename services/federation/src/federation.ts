/**
 * The federation service: whatever there is between this provider and others, but for the links that others dial, which end
 * at gateways.
 *
 *     admit, verify ─► Admission (address, certificate, dial-back), verification ─► objects signs
 *     adopt ─► Ownership ─► PeerDomain, one per domain in a cluster ─► Pair ─► Lane ─► Link
 *                               ├─◄ forward, reach, transfer (Transfers, over HTTP)
 *                               └─◄ Delivery ◄── RemoteQueue
 *
 * Lifecycle: `start` serves calls. `drain` takes no new ones, ends what is under way, closes links with 1012, and frees the
 * leases, so that another process goes on at once.
 */
import type { Bus, BusSubscription, LineLengths } from '@fosp/bus';
import type { Log, Metrics, Tracer } from '@fosp/runtime';
import type { FederationConfig } from './config.ts';
import { KnownDomains } from './known-domains.ts';
import { FEDERATION_LIMITS, type FederationLimits } from './limits.ts';
import { createParts } from './parts.ts';
import { Ownership } from './peers/ownership.ts';
import { addPeerLevels } from './peers/peer-levels.ts';
import { serveOwnership } from './peers/serve.ts';
import { Sweeper } from './peers/sweeper.ts';
import { createOwnershipTelemetry } from './peers/telemetry.ts';
import { openPolicy } from './policy/policy.ts';
import { applyPolicy, heardOf } from './policy-changes.ts';
import type { RemoteQueue } from './queue/remote-queue.ts';
import type { DeliveryTelemetry } from './queue/telemetry.ts';
import { serveTrust } from './trust/serve.ts';

export interface FederationDeps {
  readonly bus: Bus;
  readonly config: FederationConfig;
  /** Where notifications for other domains wait; on the bus where nothing else is said. */
  readonly queue?: ((telemetry: DeliveryTelemetry) => RemoteQueue) | undefined;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Absent where traces are off. */
  readonly tracer?: Tracer;
  readonly limits?: Partial<FederationLimits>;
}

export interface FederationService {
  start(): Promise<void>;
  /** Resolves once nothing is said to other domains any more. What is to be told them is still kept. */
  drain(): Promise<void>;
  /** Keeps nothing more. */
  close(): Promise<void>;
  /** What waits for other domains. */
  queueLengths(): Promise<ReadonlyMap<string, LineLengths>>;
}

/** Rejects with `StartError` where the policy's file is not valid. */
export async function openFederation(deps: FederationDeps): Promise<FederationService> {
  const { bus, clock, config, log, metrics } = deps;
  const limits: FederationLimits = { ...FEDERATION_LIMITS, ...config.limits, ...deps.limits };
  const policy = await openPolicy({ settings: config.policy, log });
  const permits = (domain: string) => policy.permits(domain);
  const parts = createParts(deps, { limits, permits });
  const { dialContext, discovery, labels, newPeer, queue, random, serving, transfers, trust } = parts;
  const telemetry = createOwnershipTelemetry(log, metrics, {
    clock,
    peers: () => ownership.peers,
    queued: () => sweeper.queued,
  });
  const ownership = new Ownership({ bus, clock, discovery, permits, newPeer, limits, telemetry });
  const queuedOf = (domain: string) => sweeper.queuedOf(domain);
  addPeerLevels(metrics, { clock, labels, queuedOf, peers: () => ownership.peers, files: () => transfers.running });
  const known = new KnownDomains(limits.domainsRemembered);
  const sweeper = new Sweeper({
    bus,
    queue,
    ownership,
    limits,
    random,
    telemetry,
    heard: (domain) => heardOf(domain, { bus, known, permits, log }),
  });
  const serveAll = async () => [
    ...(await serveTrust({ ...trust, bus, calls: limits.calls, admitted: (domain) => known.add(domain) })),
    ...(await serveOwnership({ bus, ownership, queue, limits })),
  ];
  let served: BusSubscription[] = [];

  return {
    start: async () => {
      policy.onChange(() => applyPolicy({ bus, known, ownership, permits, log }));
      bus.onGap(() => ownership.closeLinks(1012, 'Notifications may have been lost: connect again.'));
      await transfers.start();
      dialContext.start();
      served = await serveAll();
      if (config.policy.enabled) {
        await queue.start();
        await sweeper.start();
      }
    },
    drain: async () => {
      policy.close();
      await sweeper.stop();
      await Promise.all(served.map((each) => each.stop()));
      await ownership.close();
      await transfers.stop();
      serving.close();
      dialContext.close();
      discovery.close();
    },
    close: () => queue.stop(),
    queueLengths: () => queue.lengths(),
  };
}
