import { runOnBus } from '@fosp/bus/process';
import { NOTIFICATIONS_VARIABLES } from './config.ts';
import { createNotificationsService } from './notifications.ts';

await runOnBus('notifications', {
  variables: NOTIFICATIONS_VARIABLES,
  create: (parts) => createNotificationsService({ ...parts, ...parts.settings }),
});
