/**
 * The queue of a server that has no other place to keep it: taken in from the bus, which holds each notification until it is
 * on the disk here.
 *
 * Bounded: of a domain for which too much waits the oldest go, since each notification holds its object as a whole, and the
 * newest say more.
 */
import { type Bus, BusError, type BusSubscription, type RemoteNotification } from '@fosp/bus';
import type { FollowBounds, RemoteQueue } from '../remote-queue.ts';
import type { DeliveryTelemetry } from '../telemetry.ts';
import { type NewNotification, NotificationFile, type Waiting } from './notification-file.ts';
import { SqliteFollowing } from './sqlite-following.ts';

export interface SqliteQueueLimits {
  /** Notifications that wait for one domain, and bytes of theirs. */
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
  queued: 100_000,
  queuedBytes: 1024 * 1024 * 1024,
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
  #levels = new Map<string, Waiting>();
  #file: NotificationFile | undefined;
  #intake: BusSubscription | undefined;
  #expiry: NodeJS.Timeout | undefined;

  constructor(deps: SqliteQueueDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    const { bus, clock, folder, limits } = this.#deps;
    this.#file = new NotificationFile(folder, clock());
    this.#levels = this.#file.levels();
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
    domain: string,
    bounds: FollowBounds,
    feed: (notifications: readonly RemoteNotification[]) => void,
  ): Promise<SqliteFollowing> {
    const following = new SqliteFollowing(bounds, {
      read: (behind, most) => this.#file?.read(domain, behind, most) ?? [],
      remove: (position) => this.#remove(domain, position),
      feed,
      stopped: () => {
        if (this.#following.get(domain) === following) {
          this.#following.delete(domain);
        }
      },
    });
    this.#following.set(domain, following);
    following.fillSoon();
    return following;
  }

  async length(domain: string): Promise<number> {
    return this.#levels.get(domain)?.count ?? 0;
  }

  async trim(): Promise<number> {
    return 0;
  }

  async lengths(): Promise<ReadonlyMap<string, number>> {
    return new Map(Array.from(this.#levels, ([domain, { count }]) => [domain, count]));
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
    const domains = new Set<string>();
    for (const { domain, body } of file.add(batch, this.#deps.clock())) {
      const level = this.#levels.get(domain) ?? { count: 0, bytes: 0 };
      level.count++;
      level.bytes += body.length;
      this.#levels.set(domain, level);
      domains.add(domain);
    }
    await file.durable();
    for (const domain of domains) {
      this.#dropExcess(domain);
      this.#following.get(domain)?.fillSoon();
    }
  }

  #dropExcess(domain: string): void {
    const { limits, telemetry } = this.#deps;
    const { count, bytes } = this.#levels.get(domain) ?? { count: 0, bytes: 0 };
    const excess = Math.max(
      count - limits.queued,
      bytes > limits.queuedBytes ? Math.ceil(count * (1 - limits.queuedBytes / bytes)) : 0,
    );
    if (excess > 0 && this.#file !== undefined) {
      // A few more at once, since counting anew what is left takes its time.
      const removed = this.#file.removeOldest(domain, excess + Math.floor(limits.queued / 100));
      telemetry.dropped(domain, 'too-many', removed);
      this.#levels = this.#file.levels();
    }
  }

  #remove(domain: string, position: number): void {
    const level = this.#levels.get(domain);
    if (this.#file === undefined || level === undefined) {
      return;
    }
    const mean = level.bytes / Math.max(1, level.count);
    const removed = this.#file.remove(domain, position);
    level.count -= removed;
    level.bytes -= removed * mean;
    if (level.count <= 0) {
      this.#levels.delete(domain);
    }
  }

  #removeExpired(): void {
    const { clock, limits, telemetry } = this.#deps;
    const before = clock() - limits.queueSeconds * 1000;
    for (const domain of this.#levels.keys()) {
      const removed = this.#file?.removeExpired(domain, before) ?? 0;
      if (removed > 0) {
        telemetry.dropped(domain, 'expired', removed);
      }
    }
    this.#levels = this.#file?.levels() ?? new Map();
  }
}
