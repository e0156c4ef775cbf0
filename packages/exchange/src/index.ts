export {
  Conversation,
  type ConversationLimits,
  type ConversationParts,
  type ConversationTelemetry,
  HOLD,
  type Pending,
  RESTARTING,
} from './conversation.ts';
export { Exchange } from './exchange.ts';
export { headerRefusal } from './head-checks.ts';
export type { ObjectExtensions, Party } from './party.ts';
export { type RequestLimits, Requests, type RequestsOptions, tooLargeBody } from './requests.ts';
export { Slots } from './slots.ts';
export { TransferClient, type TransferClientOptions } from './transfer-client.ts';
export { ConnectionTransfers, type TransferLimits, Transfers, type TransfersOptions } from './transfers.ts';
