import { DOMAINS, FEDERATION_ENABLED } from '@fosp/bus/deployment';
import { bytes, count, type Settings } from '@fosp/runtime';
import { NOTIFICATIONS_DEFAULTS, type NotificationsDeps } from './notifications.ts';

const { domains, notifications } = NOTIFICATIONS_DEFAULTS.waitingPerTree;

export const NOTIFICATIONS_VARIABLES = {
  domains: DOMAINS,
  federation: FEDERATION_ENABLED,
  treeDomains: count(
    'FOSP_FEDERATION_TREE_DOMAINS',
    domains,
    'other domains for which one tree may have something waiting that do not take it',
    { min: 1 },
  ),
  treeNotifications: count(
    'FOSP_FEDERATION_TREE_NOTIFICATIONS',
    notifications,
    'notifications of one tree that may wait for such domains',
    { min: 4 },
  ),
  treeBytes: bytes('FOSP_FEDERATION_TREE_BYTES', '256 MiB', 'what they may take up', { min: 1024 * 1024 }),
} as const;

/** The configuration that the environment asks for. */
export function notificationsConfig(
  settings: Settings<typeof NOTIFICATIONS_VARIABLES>,
): Pick<NotificationsDeps, 'domains' | 'federation' | 'options'> {
  const { domains: served, federation, treeDomains, treeNotifications, treeBytes } = settings;
  const waitingPerTree = { domains: treeDomains, notifications: treeNotifications, bytes: treeBytes };
  return { domains: served, federation, options: { waitingPerTree } };
}
