export { type FospError, isFospError } from '@fosp/protocol';
export { type Body, type Condition, FospClient, type FospObject, type Selected } from './client.ts';
export type { ClientEvent } from './notifications.ts';
export {
  type ClientOptions,
  type Credentials,
  DEFAULT_RECONNECT,
  type ReconnectOptions,
  type ServerInfo,
} from './options.ts';
export type { Download, Progress, UploadOptions } from './transfers.ts';
