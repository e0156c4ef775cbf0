/**
 * The queue of a server that has no other place to keep it: taken in from the bus, which holds each notification until it is
 * on the disk here.
 *
 * Bounded: of a line in which too much waits the oldest go, since each notification holds its object as a whole, and the
 * newest say more.
 */
import {
  type Bus,
  BusError,
  type BusSubscription,
  type Kept,
  type LineLengths,
  lineOf,
  type RemoteLine,
  type RemoteNotification,
} from '@fosp/bus';
import { QUEUE_LIMITS } from '../line-bounds.ts';
import type { FollowBounds, RemoteQueue } from '../remote-queue.ts';
import type { DeliveryTelemetry } from '../telemetry.ts';
import { LineLevels } from './line-levels.ts';
import { type NewNotification, NotificationFile } from './notification-file.ts';
import { SqliteFollowing } from './sqlite-following.ts';

export interface SqliteQueueLimits {
  /** Notifications that wait in one line, and bytes of theirs. */
  readonly queued: number;
  readonly queuedBytes: number;
  /** After which nobody wants to know any more. */
  readonly queueSeconds: number;
  /** Between two looks for those. */
  readonly expirySeconds: number;
  /** Notifications that share a transaction. */
  readonly batch: number;
}

export const SQLITE_QUEUE_LIMITS: Omit<SqliteQueueLimits, 'queueSeconds'> = {
  queued: QUEUE_LIMITS.queued,
  queuedBytes: QUEUE_LIMITS.queuedBytes,
  expirySeconds: 3600,
  batch: 256,
};

export interface SqliteQueueDeps {
  readonly bus: Bus;
  readonly folder: string;
  readonly limits: SqliteQueueLimits;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly telemetry: Pick<DeliveryTelemetry, 'dropped'>;
}

interface Incoming extends NewNotification {
  readonly added: PromiseWithResolvers<void>;
}

export class SqliteQueue implements RemoteQueue {
  readonly #deps: SqliteQueueDeps;
  readonly #following = new Map<string, SqliteFollowing>();
  #incoming: Incoming[] = [];
  #adding: NodeJS.Immediate | undefined;
  #levels = new LineLevels();
  #file: NotificationFile | undefined;
  #intake: BusSubscription | undefined;
  #expiry: NodeJS.Timeout | undefined;

  constructor(deps: SqliteQueueDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    const { bus, clock, folder, limits } = this.#deps;
    this.#file = new NotificationFile(folder, clock());
    this.#levels = new LineLevels(this.#file.levels());
    this.#removeExpired();
    this.#expiry = setInterval(() => this.#removeExpired(), limits.expirySeconds * 1000).unref();
    this.#intake = await bus.consumeAllRemote((domain, headers, body) => this.#add({ domain, headers, body }));
  }

  async stop(): Promise<void> {
    clearInterval(this.#expiry);
    await this.#intake?.stop();
    await this.#file?.close();
    this.#file = undefined;
  }

  async follow(
    line: RemoteLine,
    bounds: FollowBounds,
    feed: (notifications: readonly RemoteNotification[]) => void,
  ): Promise<SqliteFollowing> {
    const key = keyOf(line);
    const following = new SqliteFollowing(bounds, {
      read: (behind, most) => this.#file?.read(line, behind, most) ?? [],
      remove: (position) => this.#remove(line, position),
      feed,
      stopped: () => {
        if (this.#following.get(key) === following) {
          this.#following.delete(key);
        }
      },
    });
    this.#following.set(key, following);
    following.fillSoon();
    return following;
  }

  async lineLengths(domain: string): Promise<LineLengths> {
    return this.#levels.lengthsOf(domain);
  }

  async trim(line: RemoteLine, { messages, bytes }: Kept): Promise<number> {
    const level = this.#levels.of(line) ?? { count: 0, bytes: 0 };
    const excess = Math.max(
      level.count - messages,
      level.bytes > bytes ? Math.ceil(level.count * (1 - bytes / level.bytes)) : 0,
    );
    if (excess <= 0 || this.#file === undefined) {
      return 0;
    }
    // A few more at once where some stay, since counting anew what is left takes its time.
    const removed = this.#file.removeOldest(line, excess + Math.floor(messages / 100));
    this.#levels = new LineLevels(this.#file.levels());
    return removed;
  }

  async lengths(): Promise<ReadonlyMap<string, LineLengths>> {
    return this.#levels.lengths();
  }

  #add(notification: NewNotification): Promise<void> {
    const added = Promise.withResolvers<void>();
    this.#incoming.push({ ...notification, added });
    this.#adding ??= setImmediate(() => this.#addAll());
    return added.promise;
  }

  /** What came together is kept together. */
  #addAll(): void {
    this.#adding = undefined;
    const batch = this.#incoming.splice(0, this.#deps.limits.batch);
    if (this.#incoming.length > 0) {
      this.#adding = setImmediate(() => this.#addAll());
    }
    void this.#keepAndTell(batch);
  }

  async #keepAndTell(batch: readonly Incoming[]): Promise<void> {
    try {
      await this.#keep(batch);
      for (const { added } of batch) {
        added.resolve();
      }
    } catch (error) {
      for (const { added } of batch) {
        added.reject(error);
      }
    }
  }

  async #keep(batch: readonly Incoming[]): Promise<void> {
    const file = this.#file;
    if (file === undefined) {
      throw new BusError('closed', 'What waits for other domains is not kept any more');
    }
    const lines = new Map<string, RemoteLine>();
    for (const { domain, headers, body } of file.add(batch, this.#deps.clock())) {
      const line = lineOf(domain, headers);
      this.#levels.added(line, body.length);
      lines.set(keyOf(line), line);
    }
    await file.durable();
    for (const [key, line] of lines) {
      await this.#dropExcess(line);
      this.#following.get(key)?.fillSoon();
    }
  }

  /** At once: what comes while nobody looks must not fill the disk. */
  async #dropExcess(line: RemoteLine): Promise<void> {
    const { limits, telemetry } = this.#deps;
    const removed = await this.trim(line, { messages: limits.queued, bytes: limits.queuedBytes });
    if (removed > 0) {
      telemetry.dropped(line.domain, 'too-many', removed);
    }
  }

  #remove(line: RemoteLine, position: number): void {
    this.#levels.removed(line, this.#file?.remove(line, position) ?? 0);
  }

  #removeExpired(): void {
    const { clock, limits, telemetry } = this.#deps;
    const before = clock() - limits.queueSeconds * 1000;
    for (const line of this.#levels.all()) {
      const removed = this.#file?.removeExpired(line, before) ?? 0;
      if (removed > 0) {
        telemetry.dropped(line.domain, 'expired', removed);
      }
    }
    this.#levels = new LineLevels(this.#file?.levels());
  }
}

function keyOf({ own, domain }: RemoteLine): string {
  return `${own} ${domain}`;
}
