import { DOMAINS } from '@fosp/bus/process';

export const NOTIFICATIONS_VARIABLES = { domains: DOMAINS } as const;
