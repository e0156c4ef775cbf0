import { randomUUID } from 'node:crypto';
import type { FollowerOptions } from './follower.ts';
import type { LinkOptions } from './link.ts';
import type { ReaderOptions } from './partition-reader.ts';
import type { StreamLimits } from './streams.ts';
import { type NatsTelemetry, NO_TELEMETRY } from './telemetry.ts';

/** Everything but the address has a default. */
export interface NatsOptions extends Partial<Omit<LinkOptions, 'url'>>, Partial<StreamLimits> {
  /** `nats://[user:password@]host:port`, several separated by commas. */
  readonly url: string;
  /** What all subjects, streams and buckets begin with, for several deployments on one server: letters, digits, `-`, `_`. */
  readonly prefix?: string;
  /** Milliseconds without a sign of life after which another process takes over; 3,000. */
  readonly leaseTimeToLive?: number;
  /** Milliseconds that JetStream may take to confirm; 5,000. */
  readonly appendTimeout?: number;
  /** Appends that wait to be confirmed, beyond which they are refused as `overloaded`; 4,096. */
  readonly appendsInFlight?: number;
  /** Milliseconds by which a call may be told late that its deadline passed; 25. */
  readonly deadlineTick?: number;
  /** Milliseconds without a word of whoever took a call, after which it counts as lost with them; 4,000. */
  readonly callSilence?: number;
  /** Milliseconds after which a caller is told that its call is still worked at, again and again; 1,000. */
  readonly callNotes?: number;
  /** How partitions are read; 64 handlers, 10,000 messages and 32 MiB read ahead, pauses from 100 ms to 10 s. */
  readonly reader?: Partial<ReaderOptions>;
  /** How subjects are followed; see `FollowerOptions`. */
  readonly follower?: Partial<FollowerOptions>;
  /** Milliseconds since the epoch, alike in all processes: deadlines of calls go by it. */
  readonly clock?: () => number;
  /** Milliseconds that never go back, for leases. */
  readonly now?: () => number;
  /** Names this process in leases; random. */
  readonly holder?: string;
  /** Told of what is counted. */
  readonly telemetry?: NatsTelemetry;
  /** Told of what went wrong and will be tried again; process warnings by default. */
  readonly warn?: (text: string) => void;
}

export interface NatsSettings extends Required<Omit<NatsOptions, 'reader' | 'follower'>> {
  readonly reader: ReaderOptions;
  readonly follower: FollowerOptions;
  /** Milliseconds after which the server forgets the heartbeat of a process that died. */
  readonly memberAge: number;
}

const DAY = 24 * 60 * 60 * 1000;

const READER_DEFAULTS: ReaderOptions = {
  concurrency: 64,
  retryPause: 100,
  longestRetryPause: 10_000,
  limits: { messages: 10_000, bytes: 32 * 1024 * 1024, window: 100_000 },
  pullBytes: 16 * 1024 * 1024,
  savePause: 100,
};

const FOLLOWER_DEFAULTS: FollowerOptions = {
  pullBytes: 16 * 1024 * 1024,
  fullPatience: 5_000,
  retryPause: 250,
  removalPause: 100,
  removalsAtOnce: 64,
  waitingRemovals: 10_000,
  olderPause: 1000,
  longestOlderPause: 60_000,
};

/** Throws where a name could not be part of a subject. */
export function completeOptions(options: NatsOptions): NatsSettings {
  const { prefix = '', leaseTimeToLive = 3_000 } = options;
  if (!/^[A-Za-z0-9_-]*$/.test(prefix)) {
    throw new Error(`The prefix ${JSON.stringify(prefix)} has characters other than letters, digits, - and _`);
  }
  return {
    name: 'fosp',
    connectTimeout: 2_000,
    connectAttempts: 5,
    reconnectPause: 250,
    pingInterval: 2_000,
    changesAge: 3 * DAY,
    federationDays: 7,
    streamBytes: -1,
    duplicateWindow: 120_000,
    replicas: 1,
    appendTimeout: 5_000,
    appendsInFlight: 4_096,
    deadlineTick: 25,
    callSilence: 4_000,
    callNotes: 1_000,
    clock: Date.now,
    now: () => performance.now(),
    holder: randomUUID(),
    telemetry: NO_TELEMETRY,
    warn: (text) => process.emitWarning(text),
    ...options,
    prefix,
    leaseTimeToLive,
    memberAge: 20 * leaseTimeToLive,
    reader: { ...READER_DEFAULTS, ...options.reader },
    follower: { ...FOLLOWER_DEFAULTS, ...options.follower },
  };
}
