import type { TransferBudget } from './budget.ts';
import type { TimerWheel } from './timer-wheel.ts';
import type { PeerHandler, PeerLimits } from './types.ts';

const MIB = 1024 * 1024;

/** The defaults of every bound of a connection. */
export const DEFAULT_PEER_LIMITS: PeerLimits = {
  messageBytes: 64 * MIB + 16 * 1024,
  sendBufferBytes: 8 * MIB,
  sendSeconds: 60,
  heartbeatSeconds: 30,
  heartbeatTimeoutSeconds: 30,
  messageSeconds: 30,
  messageBytesPerSecond: 1024,
  pendingRequests: 1024,
  pendingPings: 64,
  requestTimeoutMs: 30_000,
  responseBytes: 8 * MIB,
  streamBytes: 256 * 1024,
  closeSeconds: 5,
};

/** What all peers of a process share: make one of each per process. */
export interface PeerEnvironment {
  readonly budget: TransferBudget;
  readonly timers: TimerWheel;
}

export interface PeerOptions {
  readonly handler: PeerHandler;
  readonly environment: PeerEnvironment;
  /** Merge once per service, not once per connection: the object is kept, not copied. */
  readonly limits?: PeerLimits;
}
