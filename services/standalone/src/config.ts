import { ATTACHMENTS_VARIABLES } from '@fosp/attachments';
import { BUS_VARIABLES } from '@fosp/bus/process';
import { FEDERATION_VARIABLES } from '@fosp/federation';
import { GATEWAY_VARIABLES } from '@fosp/gateway';
import { NOTIFICATIONS_VARIABLES } from '@fosp/notifications';
import { OBJECTS_VARIABLES } from '@fosp/objects';
import type { Settings } from '@fosp/runtime';

/** All that its services are set by; what several declare is read once and the same. */
export const STANDALONE_VARIABLES = {
  bus: BUS_VARIABLES,
  gateway: GATEWAY_VARIABLES,
  objects: OBJECTS_VARIABLES,
  attachments: ATTACHMENTS_VARIABLES,
  notifications: NOTIFICATIONS_VARIABLES,
  federation: FEDERATION_VARIABLES,
} as const;

export type StandaloneSettings = Settings<typeof STANDALONE_VARIABLES>;
