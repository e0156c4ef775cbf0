/** What waits to be told to users of other domains, by domain. On the bus in a cluster; in SQLite where the bus keeps nothing. */
import type { Following, RemoteNotification } from '@fosp/bus';

/** See `Following` of the bus. */
export type QueueFollowing = Pick<Following, 'acknowledge' | 'stop'>;

export interface FollowBounds {
  /** Notifications handed over and not acknowledged. */
  readonly window: number;
  /** Bytes of their bodies. */
  readonly windowBytes: number;
}

export interface RemoteQueue {
  start(): Promise<void>;
  /** Takes nothing more. */
  stop(): Promise<void>;
  /** See `Bus.consumeRemote`. */
  follow(
    domain: string,
    bounds: FollowBounds,
    feed: (notifications: readonly RemoteNotification[]) => void,
  ): Promise<QueueFollowing>;
  /** With those that are handed over and not acknowledged. */
  length(domain: string): Promise<number>;
  /** Of all domains for which anything waits: at the cost of one, however many they are. */
  lengths(): Promise<ReadonlyMap<string, number>>;
  /** Forgets the oldest but so many. @returns how many; none where it keeps to a bound of its own */
  trim(domain: string, keep: number): Promise<number>;
}

/**
 * The one that waits longest, `undefined` where none does, or it does not come within `milliseconds`. Not while the domain is
 * followed.
 */
export async function peek(
  queue: RemoteQueue,
  domain: string,
  milliseconds: number,
): Promise<RemoteNotification | undefined> {
  if ((await queue.length(domain)) === 0) {
    return undefined;
  }
  const { promise, resolve } = Promise.withResolvers<RemoteNotification | undefined>();
  const following = await queue.follow(domain, { window: 1, windowBytes: 1 }, ([first]) => resolve(first));
  const late = setTimeout(() => resolve(undefined), milliseconds);
  try {
    return await promise;
  } finally {
    clearTimeout(late);
    await following.stop();
  }
}
