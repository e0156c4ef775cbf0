export { type Backlogged, Backlogs } from './backlogs.ts';
export {
  Conversation,
  type ConversationLimits,
  type ConversationParts,
  type ConversationTelemetry,
  HOLD,
  type Pending,
  RESTARTING,
} from './conversation.ts';
export { Exchange, etagHeaders } from './exchange.ts';
export { headerRefusal } from './head-checks.ts';
export type { NotificationRefusal } from './incoming-notifications.ts';
export type { Line } from './line.ts';
export { type LinkPlans, linkPlans, SERVER_LINK_LIMITS, type ServerLinkLimits } from './link-limits.ts';
export type { ObjectExtensions, Party } from './party.ts';
export { KeyedRate, type Rate } from './rates.ts';
export { STATUS_CODE } from './request-spans.ts';
export { type RequestLimits, Requests, type RequestsOptions, tooLargeBody } from './requests.ts';
export { ServerLink } from './server-link.ts';
export type { LinkExtensions, ServerLinkEnds, ServerLinkParts, ServerLinkTelemetry } from './server-link-parts.ts';
export { Slots } from './slots.ts';
export { TransferClient, type TransferClientOptions } from './transfer-client.ts';
export { ConnectionTransfers, type TransferLimits, Transfers, type TransfersOptions } from './transfers.ts';
