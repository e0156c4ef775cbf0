/** The federation service. It will hold the links to other domains; in this version it says that there are none. */
import type { Bus, BusSubscription } from '@fosp/bus';
import type { Log, Metrics } from '@fosp/runtime';
import { serveForward } from './forward.ts';
import { createTelemetry } from './telemetry.ts';

export interface FederationOptions {
  /** Requests for other domains at once; one more is answered 503. */
  readonly concurrency?: number;
}

export const FEDERATION_DEFAULTS = { concurrency: 1024 } as const;

export interface FederationDeps {
  readonly bus: Bus;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly options?: FederationOptions;
}

export interface FederationService {
  start(): Promise<void>;
  drain(): Promise<void>;
}

export function createFederationService({ bus, log, metrics, options }: FederationDeps): FederationService {
  const telemetry = createTelemetry(log, metrics);
  let served: BusSubscription | undefined;

  return {
    start: async () => {
      served = await serveForward({ bus, telemetry, ...FEDERATION_DEFAULTS, ...options });
    },
    drain: async () => {
      await served?.stop();
    },
  };
}
