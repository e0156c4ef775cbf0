/** The attachments service: files, on their way in and out, and off the disk when no object needs them any more. */
import type { Bus, BusSubscription } from '@fosp/bus';
import type { Log, Metrics } from '@fosp/runtime';
import type { FileStore } from './store.ts';
import { Sweeper } from './sweeper.ts';
import { createTelemetry, type Telemetry } from './telemetry.ts';
import { serveTransfers } from './transfers.ts';

export interface AttachmentsOptions {
  /** Calls served at once, of each type; one more is answered 503. */
  readonly concurrency?: number;
  /** Seconds between sweeps of what no object needs. */
  readonly sweepSeconds?: number;
  /** Files deleted at once. */
  readonly sweepKeys?: number;
}

export const ATTACHMENTS_DEFAULTS = { concurrency: 1024, sweepSeconds: 60, sweepKeys: 100 } as const;

export interface AttachmentsDeps {
  readonly bus: Bus;
  /** Where the bytes are kept, given a way to tell of failures. Started and stopped by the service. */
  readonly store: (failed: Telemetry['transferFailed']) => FileStore;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly options?: AttachmentsOptions;
}

export interface AttachmentsService {
  start(): Promise<void>;
  /** Takes no new calls, lets running transfers end, for a while. */
  drain(): Promise<void>;
  /** Deletes now what no object needs; done now and then anyway. */
  sweep(): Promise<void>;
}

export function createAttachmentsService({ bus, log, metrics, ...deps }: AttachmentsDeps): AttachmentsService {
  const options = { ...ATTACHMENTS_DEFAULTS, ...deps.options };
  const telemetry = createTelemetry(log, metrics);
  const store = deps.store(telemetry.transferFailed);
  const sweeper = new Sweeper({ bus, store, telemetry, ...options });
  let served: BusSubscription[] = [];

  return {
    start: async () => {
      await store.start();
      served = await serveTransfers({ bus, store, telemetry, concurrency: options.concurrency });
      sweeper.start();
    },
    drain: async () => {
      await sweeper.stop();
      await Promise.all(served.map((subscription) => subscription.stop()));
      await store.stop();
    },
    sweep: () => sweeper.sweep(),
  };
}
