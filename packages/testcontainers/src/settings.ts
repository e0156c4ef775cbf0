/** What containers of our image have in common. */

export const WS_PORT = 1337;
export const ADMIN_PORT = 9090;
export const DEFAULT_DOMAIN = 'localhost';

/** In the log of every process, once it does its work. */
export const READY = /"msg":"ready"/;

/** Milliseconds; on a machine with much to do, a start takes many times as long as it should. */
export const STARTUP_TIMEOUT = 120_000;

/** All clients of a test have one address, so limits that count by address would count them as one. */
export const NO_LIMITS_BY_ADDRESS = {
  FOSP_LIMIT_REGISTRATIONS_PER_MINUTE: '100000',
  FOSP_LIMIT_LOGIN_FAILURES_PER_MINUTE: '100000',
} as const;
