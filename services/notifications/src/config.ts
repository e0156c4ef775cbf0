import { DOMAINS, FEDERATION_ENABLED } from '@fosp/bus/process';

export const NOTIFICATIONS_VARIABLES = { domains: DOMAINS, federation: FEDERATION_ENABLED } as const;
