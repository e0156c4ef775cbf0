/** The notifications service: takes each change of every tree, and tells everybody whom it concerns what they may see. */
import { type Bus, type BusSubscription, CHANGE_PARTITIONS, type Change, type LineLengths } from '@fosp/bus';
import type { Log, Metrics } from '@fosp/runtime';
import { CompiledAcls } from './compiled-acls.ts';
import { fanOut } from './fan-out.ts';
import { RemoteQueue } from './remote.ts';
import { Repeats } from './repeats.ts';
import { SourceQuota } from './source-quota.ts';
import { addLag, createTelemetry } from './telemetry.ts';
import type { WaitingLimits } from './tree-waiting.ts';

export interface NotificationsOptions {
  /** Deliveries after which a large change gives way to those of other trees. */
  readonly deliveriesPerTurn?: number;
  /** Trees whose last sequence is remembered, to drop repeats. */
  readonly rememberedTrees?: number;
  /** ACLs kept compiled. */
  readonly compiledAcls?: number;
  /** Notifications of one change for users of other domains, on their way to the queue at once. */
  readonly appendsAtOnce?: number;
  /** Milliseconds within which whoever talks to a domain is told no second time that something waits for it. */
  readonly nudgePause?: number;
  /** Domains for which that is remembered. */
  readonly nudgedDomains?: number;
  /** What one tree may have waiting for other domains, and how that is looked at: see `SourceQuotaOptions`. */
  readonly waitingPerTree?: WaitingLimits;
  readonly flowingTimes?: number;
  readonly lookPause?: number;
  readonly looks?: number;
  readonly waitingRemembered?: number;
  readonly flowingRemembered?: number;
}

export const NOTIFICATIONS_DEFAULTS = {
  deliveriesPerTurn: 1000,
  rememberedTrees: 100_000,
  compiledAcls: 1000,
  appendsAtOnce: 64,
  nudgePause: 1000,
  nudgedDomains: 10_000,
  waitingPerTree: { domains: 2000, notifications: 100_000, bytes: 256 * 1024 * 1024 },
  flowingTimes: 4,
  lookPause: 1000,
  looks: 5,
  waitingRemembered: 100_000,
  flowingRemembered: 10_000,
} as const satisfies NotificationsOptions;

export interface NotificationsDeps {
  readonly bus: Bus;
  /** Domains whose users' sessions are on this bus. */
  readonly domains: readonly string[];
  /** Are users of other domains told? What is for them is dropped and counted where they are not. */
  readonly federation: boolean;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch; `Date.now`. */
  readonly clock?: () => number;
  /** What waits for other domains, where the bus is not what keeps it. */
  readonly queueLengths?: (() => Promise<ReadonlyMap<string, LineLengths>>) | undefined;
  readonly options?: NotificationsOptions;
}

export interface NotificationsService {
  start(): Promise<void>;
  /** Takes no new changes, and ends those that are being told. */
  drain(): Promise<void>;
}

const CONSUMER = 'notifications';

export function createNotificationsService({ bus, log, metrics, ...deps }: NotificationsDeps): NotificationsService {
  const { clock = Date.now } = deps;
  const options = { ...NOTIFICATIONS_DEFAULTS, ...deps.options };
  const telemetry = createTelemetry(log, metrics, clock);
  const quota = new SourceQuota({ ...options, queueLengths: deps.queueLengths ?? (() => bus.queueLengths()) });
  addLag(metrics, { backlogs: () => bus.changeBacklogs(), clock });
  const fanOutDeps = {
    bus,
    telemetry,
    acls: new CompiledAcls(options.compiledAcls),
    repeats: new Repeats(options.rememberedTrees),
    domains: new Set(deps.domains),
    remote: deps.federation ? new RemoteQueue({ ...options, bus, quota, clock }) : undefined,
    deliveriesPerTurn: options.deliveriesPerTurn,
  };
  const handle = async (change: Change, appendedAt: number): Promise<void> => {
    const begun = performance.now();
    try {
      await fanOut(fanOutDeps, change);
      telemetry.handled({ took: performance.now() - begun, since: clock() - appendedAt });
    } catch (error) {
      telemetry.failed(change, error);
      throw error;
    }
  };
  let consumed: BusSubscription[] = [];

  return {
    start: async () => {
      const partitions = Array.from({ length: CHANGE_PARTITIONS }, (_, partition) => partition);
      consumed = await Promise.all(partitions.map((partition) => bus.consumeChanges(partition, CONSUMER, handle)));
    },
    drain: async () => {
      await Promise.all(consumed.map((subscription) => subscription.stop()));
    },
  };
}
