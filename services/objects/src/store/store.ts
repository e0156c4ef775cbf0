/**
 * What holds trees and accounts for good: SQLite in this process, or a database over the network. The rules of the trees
 * live above it, in one place for all of them; a store keeps rows, and these promises:
 *
 * - A write is one transaction on one tree. Writes of a tree are serial: each judges by what all earlier ones left.
 * - `write` settles after the outcome is durable. What failed left nothing behind.
 * - Whatever is read is of one moment, and durable: no read shows a change that a crash could still undo.
 * - The sequence of a tree only grows, also over the removal of its account, so a version never means two things.
 * - Subscriptions that ended and objects that were deleted stay readable for the kept events that need them.
 *
 * Every store passes the suite in `suite/`.
 */
import type { EventType, ObjectFragments, Subscription, SubscriptionRow } from '@fosp/protocol';

/** At once where the store is in this process, later where it is not. */
export type Soon<T> = T | Promise<T>;

/** An object as it is stored. */
export interface StoredObject extends ObjectFragments {
  readonly path: string;
  /** The tree's sequence at its last change. */
  readonly version: number;
  /** The tree's sequence at its creation: tells an object from an earlier one of the same name. */
  readonly incarnation: number;
  /** Key of its file. There is one exactly where there is `attachment`. */
  readonly file?: string;
  /** Number of its subscriptions. */
  readonly subscribers: number;
}

/** What an object says about the rights and notifications of all below it. */
export interface Level {
  readonly path: string;
  readonly owner: string;
  readonly acl?: string | undefined;
  /** Number of its subscriptions. */
  readonly subscribers: number;
}

/** One place of a tree, and what it is judged by. */
export interface Place {
  /** Undefined where there is none at the path. */
  readonly object: StoredObject | undefined;
  /** The object's own level, where it exists, then those of its existing ancestors, up to the root's; none without a tree. */
  readonly levels: readonly Level[];
  /** Data of `config/groups`. */
  readonly groups: string | undefined;
}

/** A place as a reader needs it. */
export interface Snapshot extends Place {
  /**
   * The object's subscriptions in order of user; where there are more than `LIMITS.subscriptionsShown`, that of the
   * reader alone.
   */
  readonly subscriptions: readonly SubscriptionRow[];
}

export interface Page {
  /** The name after which the page begins; from the first one where it is undefined. */
  readonly after: string | undefined;
  readonly limit: number;
}

/** A page of names for somebody. */
export interface ListingQuery extends Page {
  /** Whether they may see the names, judged by the place as it is in the same moment; called once. */
  readonly mayList: (place: Place) => boolean;
}

export interface Listing extends Place {
  /** Names of children in byte order; none, and none looked for, where they may not be seen. */
  readonly names: readonly string[];
  /** Whether there are more after them. */
  readonly more: boolean;
}

/** A key of the file store: its bytes are on their way, belong to an object, may go, or are about to go. */
export const FILE_STATES = ['pending', 'live', 'dead', 'claimed'] as const;
export type FileState = (typeof FILE_STATES)[number];

export interface FileRecord {
  readonly key: string;
  readonly state: FileState;
  readonly tree: string;
  readonly path: string;
  /** Of the object it was begun for. */
  readonly incarnation: number;
  /** Bytes, and SHA-256 in hex, once they are known. */
  readonly size: number | undefined;
  readonly checksum: string | undefined;
}

export const ACCOUNT_STATES = ['enabled', 'disabled'] as const;

/** An account; its name is its tree's. */
export interface Account {
  /** base64url. */
  readonly salt: string;
  /** KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
  /** SHA-256 of what argon2id made of the password. */
  readonly secretHash: Uint8Array;
  /** The tree's sequence when the password or the state last changed: tokens of an earlier one are dead. */
  readonly version: number;
  readonly state: (typeof ACCOUNT_STATES)[number];
}

export const EVENTS: readonly EventType[] = ['CREATED', 'UPDATED', 'DELETED'];

/** An event on its way to the stream `changes`. */
export interface OutboxEvent {
  readonly sequence: number;
  readonly event: EventType;
  /** The changed object, or the root of the deleted subtree. */
  readonly path: string;
  /** JSON of a `ChangeEvent`. */
  readonly body: string;
  /** Whether fan-out asks for its subscriptions page by page, so that what it needs must be kept. */
  readonly paged: boolean;
}

/** An event that was taken to be relayed. */
export interface TakenEvent extends OutboxEvent {
  /** Milliseconds since it was written, by the database's clock. */
  readonly age: number;
}

/** What waits to be relayed. */
export interface OutboxBacklog {
  /** As far as they are counted: see `Outbox.backlog`. */
  readonly events: number;
  /** Milliseconds since the oldest was written, by the database's clock; 0 without any. */
  readonly oldestAge: number;
}

/** An object of a subtree to be deleted. */
export interface SubtreeObject {
  readonly path: string;
  readonly owner: string;
  readonly acl: string | undefined;
}

/** One write to one tree. It sees its own changes. To be awaited at once, one after the other, and nothing else with it. */
export interface TreeTransaction {
  readonly tree: string;
  /** The number that this write takes in the tree's sequence; the same however often it is asked. */
  version(): Soon<number>;
  look(path: string): Soon<Place>;
  insert(object: StoredObject): Soon<void>;
  /** Replaces all of the object at this path but its number of subscriptions. */
  replace(object: StoredObject): Soon<void>;

  /** Subscriptions of the object at this path in order of user: of these users, or up to `limit` of all. */
  subscriptions(
    path: string,
    which: { readonly users: Iterable<string> } | { readonly limit: number },
  ): Soon<SubscriptionRow[]>;
  /** Sets or, with null, ends a user's subscription. */
  subscribe(path: string, user: string, subscription: Subscription | null): Soon<void>;

  /** Objects at and below this path in byte order of their paths; any of them where there are more than `limit`. */
  subtree(path: string, limit: number): Soon<SubtreeObject[]>;
  /** Subscriptions at and below this path, up to `limit`, in no order. */
  subtreeSubscriptions(path: string, limit: number): Soon<SubscriptionRow[]>;
  /**
   * Deletes the object at this path and all below it; their files die at `now` (milliseconds since the epoch), their
   * subscriptions end. What a paged event of this write needs of them is kept: it is added first.
   */
  remove(path: string, now: number): Soon<void>;

  addEvent(event: Omit<OutboxEvent, 'sequence'>): Soon<void>;

  file(key: string): Soon<FileRecord | undefined>;
  /** Since when a file is in its state is counted from `now`. */
  putFile(file: FileRecord, now: number): Soon<void>;

  account(): Soon<Account | undefined>;
  putAccount(account: Account): Soon<void>;
  removeAccount(): Soon<void>;
}

/** What a write is likely to be, for a store that can do so in a shorter way; it may be more. */
export interface WriteHint {
  /** It looks at one place, and creates or replaces its object at most. */
  readonly small: boolean;
}

/** Events that wait to be relayed, for whom fan-out is still to be answered. */
export interface Outbox {
  /** Trees with waiting events, up to `limit`. */
  waiting(limit: number): Soon<string[]>;
  /**
   * The oldest waiting events of a tree, in order. Whoever takes them is the only one to relay this tree, until `settle`; for
   * others there are none, until this one was gone for long enough.
   */
  take(tree: string, limit: number): Soon<TakenEvent[]>;
  /**
   * All up to this sequence were relayed at `now`. Paged ones are kept for fan-out until swept. True where more wait, also
   * such as others found while the tree was taken.
   */
  settle(tree: string, sequence: number, now: number): Promise<boolean>;
  /** What waits, whoever relays it; counted up to `limit` events. Where a thousand trees wait, the oldest may be another's. */
  backlog(limit: number): Promise<OutboxBacklog>;
  /** A relayed or waiting paged event; undefined once it is swept. */
  paged(tree: string, sequence: number): Soon<Pick<OutboxEvent, 'event' | 'path'> | undefined>;
  /** Subscriptions on an object as they stood for the event of this sequence, in order of user, of users after `after`. */
  subscribersAsOf(query: {
    readonly tree: string;
    readonly sequence: number;
    readonly path: string;
    readonly after: string;
    readonly limit: number;
  }): Soon<SubscriptionRow[]>;
  /** Objects that the deletion of this sequence removed, and their ancestors, in byte order of their paths, from a path on. */
  deleted(query: {
    readonly tree: string;
    readonly sequence: number;
    readonly from: string;
    readonly limit: number;
  }): Soon<SubtreeObject[]>;
  /** Drops what is kept for paged events relayed before this time; true where more is left to drop. */
  sweep(before: number): Promise<boolean>;
}

export interface FileStore {
  /**
   * Claims up to `limit` keys whose bytes may go: dead, or claimed by somebody who then vanished, since before `deadBefore`;
   * pending since before `pendingBefore`.
   */
  claim(options: {
    readonly limit: number;
    readonly now: number;
    readonly deadBefore: number;
    readonly pendingBefore: number;
  }): Promise<string[]>;
  /** Forgets claimed keys. */
  forget(keys: readonly string[]): Promise<void>;
  /** Those of these keys that are kept, in whatever state; also such as a crash could still undo. */
  known(keys: readonly string[]): Promise<string[]>;
}

export interface Store {
  /** A place with its object's subscriptions as far as `reader` may be shown them. */
  snapshot(tree: string, path: string, reader: string): Soon<Snapshot>;
  listing(tree: string, path: string, query: ListingQuery): Soon<Listing>;
  account(user: string): Soon<Account | undefined>;
  /** 32 random bytes, made when first asked for and the same ever after. */
  secret(name: string): Promise<Uint8Array>;
  /**
   * Runs `work` in a transaction on this tree. It may run again from the start where its transaction had to be undone
   * through no fault of its own, so it changes nothing but by `tx`. It belongs to the request for which this was called,
   * whoever's transaction it has part in.
   * @throws what `work` throws; `unavailable` where the store takes no more writes or cannot keep them, with an
   * `UnknownOutcome` as its cause where it may have kept this one
   */
  write<T>(tree: string, work: (tx: TreeTransaction) => Promise<T>, hint?: WriteHint): Promise<T>;
  readonly outbox: Outbox;
  readonly files: FileStore;
  /** Resolves, with the reason, if nothing can be written any more until a restart. */
  readonly failed: Promise<string>;
  close(): Promise<void>;
}
