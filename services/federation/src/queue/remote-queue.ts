/**
 * What waits to be told to users of other domains, in a line for each domain of ours and other domain. On the bus in a cluster; in
 * SQLite where the bus keeps nothing.
 */
import type { Following, Kept, LineLengths, RemoteLine, RemoteNotification } from '@fosp/bus';

/** Stands in `LineLengths` for what older programs kept in one line for all domains of ours. */
export const OLDER = '';

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
    line: RemoteLine,
    bounds: FollowBounds,
    feed: (notifications: readonly RemoteNotification[]) => void,
  ): Promise<QueueFollowing>;
  /** With those that are handed over and not acknowledged. */
  lineLengths(domain: string): Promise<LineLengths>;
  /** Of all domains for which anything waits: at the cost of one, however many they are. */
  lengths(): Promise<ReadonlyMap<string, LineLengths>>;
  /** Forgets the oldest but so many, and about so many bytes. @returns how many */
  trim(line: RemoteLine, keep: Kept): Promise<number>;
}

/**
 * The one that waits longest, `undefined` where none does, or it does not come within `milliseconds`. Not while the line is
 * followed.
 */
export async function peek(
  queue: RemoteQueue,
  line: RemoteLine,
  milliseconds: number,
): Promise<RemoteNotification | undefined> {
  const lengths = await queue.lineLengths(line.domain);
  if (!lengths.has(line.own) && !lengths.has(OLDER)) {
    return undefined;
  }
  const { promise, resolve } = Promise.withResolvers<RemoteNotification | undefined>();
  const following = await queue.follow(line, { window: 1, windowBytes: 1 }, ([first]) => resolve(first));
  const late = setTimeout(() => resolve(undefined), milliseconds);
  try {
    return await promise;
  } finally {
    clearTimeout(late);
    await following.stop();
  }
}
