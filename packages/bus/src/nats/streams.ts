/**
 * The durable streams as JetStream has them: created where they are missing, verified where they are there, never changed
 * or deleted. What order and durability rest on must be as it is here; ages, sizes and replicas are the operator's.
 */
import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import type { KV, Kvm, KvOptions } from '@nats-io/kv';
import { nanos } from '@nats-io/transport-node';
import { FEDERATION_STREAMS, STREAMS } from '../events.ts';

export interface StreamLimits {
  /** Milliseconds that a change is kept, consumed or not; 3 days. */
  readonly changesAge: number;
  /**
   * Days that what waits for another domain is kept; 7. Whoever sends it forgets it after that, and counts it; the streams keep it
   * for a day more, since what they forget nobody counts.
   */
  readonly federationDays: number;
  /** Bytes a stream may take up, beyond which appends are refused as `overloaded`; -1: as much as the server has. */
  readonly streamBytes: number;
  /** Milliseconds within which a repeated id is recognised; 2 minutes. */
  readonly duplicateWindow: number;
  /** Servers that keep each stream and lease: 1, 3 or 5. */
  readonly replicas: number;
}

/** Streams whose messages go once they were handled: their one consumer's cursor is their acknowledgement. */
export const EMPTIED: ReadonlySet<string> = new Set(FEDERATION_STREAMS);

/** What may not differ. */
type Fixed = Pick<StreamConfig, 'subjects' | 'retention' | 'storage' | 'discard' | 'duplicate_window'>;

const DAY = 24 * 60 * 60 * 1000;

export async function ensureStreams(
  manager: JetStreamManager,
  prefix: string,
  limits: StreamLimits & { readonly warn: (text: string) => void },
): Promise<void> {
  const ensure = (stream: string, age: number) => ensureStream(manager, `${prefix}${stream}`, age, limits);
  await ensure(STREAMS.changes, limits.changesAge);
  const kept = nanos(limits.federationDays * DAY);
  const ages = await Promise.all(FEDERATION_STREAMS.map((stream) => ensure(stream, (limits.federationDays + 1) * DAY)));
  const shortest = Math.min(...ages.filter((age) => age > 0));
  if (shortest < kept) {
    const days = shortest / nanos(DAY);
    const names = `${prefix}${FEDERATION_STREAMS[0]} and its like`;
    limits.warn(
      `${names} forget what is older than ${days} days, though FOSP_FEDERATION_QUEUE_DAYS is ${limits.federationDays}: lengthen it with \`nats stream edit --max-age\``,
    );
  }
}

/** A bucket of small values: created where it is missing. */
export async function ensureBucket(kv: Kvm, name: string, options: Partial<KvOptions>): Promise<KV> {
  try {
    return await kv.create(name, options);
  } catch {
    // Where several processes start at once, the server may refuse all but one: then it is there now.
    return kv.create(name, options);
  }
}

/** Gives the age that it has. */
async function ensureStream(
  manager: JetStreamManager,
  name: string,
  age: number,
  limits: StreamLimits,
): Promise<number> {
  const fixed: Fixed = {
    subjects: [`${name}.>`],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    // A full stream refuses the newest, which whoever appends still has, rather than forget the oldest.
    discard: DiscardPolicy.New,
    duplicate_window: nanos(limits.duplicateWindow),
  };
  const found = await find(manager, name);
  if (found !== undefined) {
    verify(name, found, fixed);
    return found.max_age;
  }
  const wanted = { name, ...fixed, max_age: nanos(age), max_bytes: limits.streamBytes, num_replicas: limits.replicas };
  try {
    await manager.streams.add(wanted);
  } catch (error) {
    // Another process that starts now may have been faster, with other limits.
    const madeMeanwhile = await find(manager, name);
    if (madeMeanwhile === undefined) {
      throw new Error(`Cannot create the stream ${name}: ${String(error)}`, { cause: error });
    }
    verify(name, madeMeanwhile, fixed);
    return madeMeanwhile.max_age;
  }
  return wanted.max_age;
}

async function find(manager: JetStreamManager, name: string): Promise<StreamConfig | undefined> {
  try {
    return (await manager.streams.info(name)).config;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.status === 404) {
      return undefined;
    }
    throw error;
  }
}

function verify(name: string, found: StreamConfig, fixed: Fixed): void {
  const problems = [
    difference('subjects', found.subjects.join(), fixed.subjects.join()),
    difference('retention', found.retention, fixed.retention),
    difference('storage', found.storage, fixed.storage),
    difference('discard', found.discard, fixed.discard),
    found.duplicate_window < fixed.duplicate_window
      ? `duplicate_window is ${found.duplicate_window} ns and must be at least ${fixed.duplicate_window}`
      : undefined,
  ].filter((problem) => problem !== undefined);
  if (problems.length > 0) {
    throw new Error(
      `The stream ${name} is not as it must be (correct it with \`nats stream edit\`): ${problems.join('; ')}`,
    );
  }
}

function difference(what: string, found: string, wanted: string): string | undefined {
  return found === wanted ? undefined : `${what} is ${found} and must be ${wanted}`;
}
