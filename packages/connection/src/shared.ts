/** What this package offers everywhere. Nothing behind this file imports Node. */
export { TransferBudget } from './budget.ts';
export type { Channel, ChannelReceiver, StreamedMessage } from './channel.ts';
export { CLOSE_CODES, type CloseCode, closeCodeOf, closedError, mayReconnect } from './close-codes.ts';
export { DEFAULT_PEER_LIMITS, type PeerEnvironment, type PeerOptions } from './options.ts';
export { Peer } from './peer.ts';
export { TIMER_RESOLUTION_MS, TimerWheel, type TimerWheelOptions } from './timer-wheel.ts';
export type {
  BodyPlan,
  BodyStream,
  FrameKind,
  IncomingNotification,
  IncomingRequest,
  PeerHandler,
  PeerLimits,
  PeerResponse,
  RequestOptions,
  RespondOptions,
  RespondStreamOptions,
  Role,
} from './types.ts';
