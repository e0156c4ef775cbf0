import { runOnBus } from '@fosp/bus/process';
import { NOTIFICATIONS_VARIABLES, notificationsConfig } from './config.ts';
import { createNotificationsService } from './notifications.ts';

await runOnBus('notifications', {
  variables: NOTIFICATIONS_VARIABLES,
  create: (parts) => createNotificationsService({ ...parts, ...notificationsConfig(parts.settings) }),
});
