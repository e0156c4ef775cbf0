export { NOTIFICATIONS_VARIABLES, notificationsConfig } from './config.ts';
export {
  createNotificationsService,
  NOTIFICATIONS_DEFAULTS,
  type NotificationsDeps,
  type NotificationsOptions,
  type NotificationsService,
} from './notifications.ts';
