import { DOMAINS, FEDERATION_ENABLED } from '@fosp/bus/deployment';

export const NOTIFICATIONS_VARIABLES = { domains: DOMAINS, federation: FEDERATION_ENABLED } as const;
