export { acceptUpgrade } from './accept.ts';
export { TransferBudget } from './budget.ts';
export type { Channel, ChannelReceiver, StreamedMessage } from './channel.ts';
export { CLOSE_CODES, type CloseCode, mayReconnect } from './close-codes.ts';
export { type DialOptions, dial } from './dial.ts';
export { type NodePeerOptions, openPeer } from './open-peer.ts';
export { DEFAULT_PEER_LIMITS, type PeerEnvironment, type PeerOptions } from './options.ts';
export { Peer } from './peer.ts';
export { TIMER_RESOLUTION_MS, TimerWheel } from './timer-wheel.ts';
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
