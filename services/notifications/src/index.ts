export { NOTIFICATIONS_VARIABLES } from './config.ts';
export {
  createNotificationsService,
  NOTIFICATIONS_DEFAULTS,
  type NotificationsDeps,
  type NotificationsOptions,
  type NotificationsService,
} from './notifications.ts';
