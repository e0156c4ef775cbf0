/** Every bound, pause and lifetime of this service, by name. Bytes and milliseconds, where nothing else is said. */
import { LIMITS } from '@fosp/protocol';

const KIB = 1024;
const MIB = 1024 * KIB;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** How hard a password is to hash, as the gateway does it for new accounts. */
export interface HashCost {
  /** KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

export interface ObjectsLimits {
  /** JSON text of `data`, `type`, `acl` and `attachment` together, and of a body. Subscriptions are counted apart. */
  readonly objectBytes: number;
  readonly aclBytes: number;
  /** Names in one answer of LIST; where there are more, the client is told to ask page by page. */
  readonly listNames: number;
  /** Calls of one kind at work; more are answered 503. */
  readonly concurrency: number;
  /** Characters of ACLs, and of groups, that stay compiled. */
  readonly policyCharacters: number;

  /** Wrong passwords per account and minute. */
  readonly failuresPerAccount: number;
  readonly failuresPerAddress: number;
  /** New accounts per address and minute. */
  readonly registrationsPerAddress: number;
  readonly tokenLifetime: number;
  /** What names without an account pretend to cost. */
  readonly hashCost: HashCost;

  /** What a change event holds itself; beyond these, fan-out asks for it page by page. */
  readonly embeddedSubscriptions: number;
  readonly embeddedObjects: number;
  readonly embeddedBytes: number;
  /** What one answer of fan-out holds: subscriptions per level, objects, and bytes. */
  readonly fanOutSubscriptions: number;
  readonly fanOutObjects: number;
  readonly fanOutBytes: number;
  /** How long what fan-out needs is kept after its event was relayed. */
  readonly fanOutRetention: number;

  /** Trees whose events are relayed at once, and events of one of them read at once. */
  readonly relayTrees: number;
  readonly relayEvents: number;
  /** Events in the outbox up to which they are counted. */
  readonly outboxCounted: number;
  /** Pause before an event that could not be relayed is tried again: the first, and the longest. */
  readonly relayPause: number;
  readonly relayLongestPause: number;
  /** Between two looks for events that nobody relays, and for what may be dropped. */
  readonly sweepInterval: number;
  /** How long a stopping service waits for events on their way. */
  readonly drainPatience: number;

  /** How long a file that was replaced is kept, for whoever still reads it: the longest transfer, its URL's life included. */
  readonly transferLifetime: number;
  /** How long an upload may take before its bytes may go. */
  readonly pendingLifetime: number;
}

export const DEFAULT_LIMITS: ObjectsLimits = {
  objectBytes: LIMITS.objectBytes,
  aclBytes: LIMITS.aclBytes,
  listNames: 100_000,
  concurrency: 4_096,
  policyCharacters: 8 * MIB,

  failuresPerAccount: 10,
  failuresPerAddress: 100,
  registrationsPerAddress: 10,
  tokenLifetime: 30 * 24 * HOUR,
  hashCost: { memory: 19_456, passes: 2, parallelism: 1 },

  embeddedSubscriptions: 256,
  embeddedObjects: 64,
  embeddedBytes: 512 * KIB,
  fanOutSubscriptions: 500,
  fanOutObjects: 256,
  fanOutBytes: MIB,
  fanOutRetention: HOUR,

  relayTrees: 1_024,
  relayEvents: 32,
  outboxCounted: 10_000,
  relayPause: 100,
  relayLongestPause: 3_000,
  sweepInterval: 1_000,
  drainPatience: 5_000,

  transferLifetime: HOUR,
  pendingLifetime: 24 * HOUR,
};
