import { LOG_LEVELS } from './log.ts';
import { TRACING_VARIABLES } from './tracing/settings.ts';
import { oneOf, port, seconds, secretText, text } from './variables.ts';

/** What any of our processes reads, whatever its service. */
export const PROCESS_VARIABLES = {
  host: text('FOSP_HOST', '127.0.0.1', 'address to listen on'),
  adminHost: text(
    'FOSP_ADMIN_HOST',
    '127.0.0.1',
    'address of the internal port; 0.0.0.0 where probes come from outside',
  ),
  adminPort: port(
    'FOSP_ADMIN_PORT',
    9090,
    'internal port for /startupz, /livez, /readyz and /metrics; 0 = any free port, logged',
  ),
  adminToken: secretText(
    'FOSP_ADMIN_TOKEN',
    undefined,
    'bearer token for further routes of the internal port; off without it',
  ),
  logLevel: oneOf('FOSP_LOG_LEVEL', 'info', 'the least level that is logged', { choices: LOG_LEVELS }),
  drainSeconds: seconds('FOSP_DRAIN_SECONDS', 25, 'how long a stopping process may finish what is in flight', {
    min: 1,
  }),
  tracing: TRACING_VARIABLES,
} as const;

/** Variables that begin so are ours: one that nobody declared is probably misspelt. */
export const VARIABLE_PREFIX = 'FOSP_';
