/** How requests and notifications are served that come on a link which we dialled: as a gateway does on one that it accepted. */
import type { Bus } from '@fosp/bus';
import {
  type Backlogs,
  KeyedRate,
  linkPlans,
  Requests,
  SERVER_LINK_LIMITS,
  type ServerLinkParts,
  type ServerLinkTelemetry,
  TransferClient,
  type TransferClientOptions,
  Transfers,
} from '@fosp/exchange';
import { fospError, LIMITS } from '@fosp/protocol';
import type { Tracer } from '@fosp/runtime';

export interface ServingLimits {
  /** Unread answers of a link, beyond which none of its requests is taken in. */
  readonly servedBacklogBytes: number;
  /** Files up to this size are sent in one frame. */
  readonly smallFile: number;
  /** Of connections to the file store. */
  readonly store: Omit<TransferClientOptions, 'failed' | 'passed'>;
  /** Domains whose rates are remembered. */
  readonly ratesRemembered: number;
}

export const SERVING_LIMITS: ServingLimits = {
  servedBacklogBytes: 3 * 1024 * 1024,
  smallFile: 64 * 1024,
  store: { stallSeconds: 30, connectSeconds: 5, idleConnections: 8, idleSeconds: 10, replayBytes: 256 * 1024 },
  ratesRemembered: 10_000,
};

export interface ServingDeps {
  readonly bus: Bus;
  /** Ours, normalised. */
  readonly domains: readonly string[];
  /** Bytes of an object with its `acl`, and of a file; requests of one user in flight. */
  readonly bounds: { readonly object: number; readonly attachment: number; readonly requests: number };
  readonly limits: ServingLimits;
  readonly backlogs: Backlogs;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly telemetry: ServingTelemetry;
  /** Told of bytes of files as they come. */
  readonly passed: (bytes: number) => void;
  /** Absent where traces are off. */
  readonly tracer?: Tracer | undefined;
}

export interface ServingTelemetry extends ServerLinkTelemetry {
  /** Bytes of a file of ours that went over a link. */
  served(direction: 'up' | 'down', bytes: number): void;
  storeFailed(error: unknown): void;
}

export interface Serving {
  readonly parts: ServerLinkParts;
  close(): void;
}

export function createServing(deps: ServingDeps): Serving {
  const { bus, domains, bounds, limits, backlogs, clock, telemetry, passed, tracer } = deps;
  const client = new TransferClient({ ...limits.store, passed, failed: telemetry.storeFailed });
  const transfers = new Transfers({ bus, client, limits: { ...bounds, ...limits }, moved: telemetry.served });
  const forward = async () => {
    // What came from a server is never forwarded, and refused before it comes so far.
    throw fospError('wrong-server', 'This server is not responsible for that domain.');
  };
  const linkLimits = { ...SERVER_LINK_LIMITS, requests: bounds.requests, backlog: limits.servedBacklogBytes };
  return {
    parts: {
      ...{ bus, clock, telemetry, tracer },
      domains: new Set(domains),
      limits: linkLimits,
      plans: linkPlans({ object: bounds.object + LIMITS.messageOverhead, attachment: bounds.attachment }),
      rate: new KeyedRate(linkLimits.messageRate, limits.ratesRemembered),
      requests: new Requests({ bus, transfers, domains, forward, limits: bounds }),
      watchBacklog: (waiting) => backlogs.watch(waiting),
    },
    close: () => client.close(),
  };
}
