export { type FospError, isFospError } from '@fosp/protocol';
export { FospClient } from './client.ts';
export type { ClientEvent } from './notifications.ts';
export type { Body, Condition, FospObject, Selected } from './objects.ts';
export {
  type ClientOptions,
  type Credentials,
  DEFAULT_NOTIFICATION_QUEUE,
  DEFAULT_RECONNECT,
  DEFAULT_REQUEST_TIMEOUT_MS,
  DEFAULT_WAITING_REQUESTS,
  type NotificationQueueLimits,
  type ReconnectOptions,
} from './options.ts';
export type { ServerInfo } from './server-info.ts';
export type { Download, Progress, UploadOptions } from './transfers.ts';
