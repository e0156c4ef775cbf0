import { normaliseDomain } from '@fosp/protocol';
import { type Kind, splitList, variable } from '@fosp/runtime';

const DOMAINS: Kind<readonly string[]> = {
  allowed: 'domain names, separated by commas',
  parse: (given) => splitList(given).map(normaliseDomain),
};

export const NOTIFICATIONS_VARIABLES = {
  domains: variable('FOSP_DOMAIN', 'localhost', 'the domains served', DOMAINS),
} as const;
