/**
 * The log of a process: JSON lines, or readable ones on a terminal. Secrets are cut out where they are recognised by
 * their field's name; values of type `Secret` never print anyway, and of errors there is no more than they say. Writes are synchronous, so a crash loses no line.
 */
import { hostname } from 'node:os';
import { isatty } from 'node:tty';
import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino';
import { loggedError } from './log-errors.ts';
import { scopeFields } from './tracing/scope.ts';

/** `log.info({ tree, error }, 'what happened')`; what belongs to one request has its `requestId`. */
export type Log = Logger;

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  /** Of the process: `gateway`, `standalone`. */
  readonly name: string;
  readonly level: LogLevel;
  /** Where JSON lines go; standard output by default, where they are made readable if it is a terminal. */
  readonly to?: DestinationStream;
}

const SECRET_FIELDS = ['password', 'secret', 'token', 'authorization', 'cookie'];

export async function createLog({ name, level, to }: LogOptions): Promise<Log> {
  const options = {
    level,
    base: { service: name, host: hostname() },
    errorKey: 'error',
    serializers: { error: (error: unknown) => loggedError(error) },
    timestamp: stdTimeFunctions.isoTime,
    mixin: scopeFields,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: '[secret]' },
  };
  if (to !== undefined) {
    return pino(options, to);
  }
  return isatty(1) ? pino(options, await readable()) : pino(options, destination({ fd: 1, sync: true }));
}

/** Imported only where somebody reads along, since it costs start-up time. */
async function readable(): Promise<DestinationStream> {
  const { default: pretty } = await import('pino-pretty');
  return pretty({
    sync: true,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'host,service',
    errorLikeObjectKeys: ['error'],
  });
}
