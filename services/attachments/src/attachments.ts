/** The attachments service: files, on their way in and out, and off the disk when no object needs them any more. */
import { randomBytes } from 'node:crypto';
import type { Bus, BusSubscription } from '@fosp/bus';
import type { Health, Log, Metrics } from '@fosp/runtime';
import { Availability } from './availability.ts';
import { Orphans } from './orphans.ts';
import type { FileStore } from './store.ts';
import { Sweeper } from './sweeper.ts';
import { addLevels, createTelemetry, type Telemetry } from './telemetry.ts';
import { serveTransfers } from './transfers.ts';

export interface AttachmentsOptions {
  /** Calls served at once, of each type; one more is answered 503. */
  readonly concurrency?: number;
  /** Seconds between sweeps of what no object needs. */
  readonly sweepSeconds?: number;
  /** Files deleted at once. */
  readonly sweepKeys?: number;
  /** Seconds between two looks for files that nobody knows of; 0 for none at all. */
  readonly orphanSweepSeconds?: number;
  /** Files that one such look takes. */
  readonly orphanPage?: number;
  /** Seconds after which a file may be one: more than an upload with its URL's life can last. */
  readonly orphanAgeSeconds?: number;
  /** Seconds between the look that finds one and the one that deletes it. */
  readonly orphanDoubtSeconds?: number;
  /** Those found that are not deleted yet, at most. */
  readonly orphanSuspects?: number;
  /** Seconds between two looks whether the store can be used. */
  readonly checkSeconds?: number;
  /** Failures in a row after which it counts as gone. */
  readonly checkFailures?: number;
  /** Seconds after which who was refused may come back. */
  readonly retryAfterSeconds?: number;
}

export const ATTACHMENTS_DEFAULTS = {
  concurrency: 1024,
  sweepSeconds: 60,
  sweepKeys: 100,
  orphanSweepSeconds: 300,
  orphanPage: 1_000,
  orphanAgeSeconds: 7 * 86_400,
  orphanDoubtSeconds: 86_400,
  orphanSuspects: 50_000,
  checkSeconds: 2,
  checkFailures: 2,
  retryAfterSeconds: 1,
} as const;

export interface AttachmentsDeps {
  readonly bus: Bus;
  /** Where the bytes are kept, given a way to tell of failures. Started and stopped by the service. */
  readonly store: (failed: Telemetry['transferFailed']) => FileStore;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly options?: AttachmentsOptions;
  /** Told while the store cannot be reached. */
  readonly health?: Pick<Health, 'obstruct'>;
  /** Milliseconds since the epoch; `Date.now`. */
  readonly clock?: () => number;
}

export interface AttachmentsService {
  start(): Promise<void>;
  /** Takes no new calls, lets running transfers end, for a while. */
  drain(): Promise<void>;
  /** Deletes now what no object needs; done now and then anyway. */
  sweep(): Promise<void>;
  /** Takes one look for files that nobody knows of; done now and then anyway. */
  findOrphans(): Promise<void>;
}

export function createAttachmentsService(deps: AttachmentsDeps): AttachmentsService {
  const { bus, log, metrics, health, clock = Date.now } = deps;
  const options = { ...ATTACHMENTS_DEFAULTS, ...deps.options };
  const telemetry = createTelemetry(log, metrics);
  const store = deps.store(telemetry.transferFailed);
  const parts = { bus, store, telemetry, clock, health, ...options };
  const availability = new Availability(parts);
  addLevels(metrics, { isGone: () => availability.isGone });
  const sweeper = new Sweeper(parts);
  const orphans = new Orphans({ ...parts, beginAfter: randomBytes(16).toString('hex') });
  let served: BusSubscription[] = [];

  return {
    start: async () => {
      await store.start();
      served = await serveTransfers({ bus, store, availability, telemetry, concurrency: options.concurrency });
      availability.start();
      sweeper.start();
      orphans.start();
    },
    drain: async () => {
      await Promise.all([availability.stop(), sweeper.stop(), orphans.stop()]);
      await Promise.all(served.map((subscription) => subscription.stop()));
      await store.stop();
    },
    sweep: () => sweeper.sweep(),
    findOrphans: () => orphans.look(),
  };
}
