/**
 * Errors as the log shows them: kind, message, stack, and what caused them. Nothing else that a library hung on them: drivers
 * keep what they were asked there, with the data of objects, keys and addresses that open doors.
 */

export interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly code?: string | number;
  readonly status?: number;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

/** Causes of causes, at most; and errors that one stands for. */
const DEPTH = 5;
const WIDTH = 10;

export function loggedError(error: unknown, depth = DEPTH): LoggedError | string {
  if (!(error instanceof Error)) {
    return typeof error === 'string' ? error : `a value of the type ${typeof error}`;
  }
  const code = memberOf(error, 'code');
  const status = memberOf(error, 'status');
  return {
    type: error.name,
    message: withoutQuotes(error, error.message),
    ...(error.stack === undefined ? {} : { stack: withoutQuotes(error, error.stack) }),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(typeof status === 'number' ? { status } : {}),
    ...(error.cause === undefined || depth === 0 ? {} : { cause: loggedError(error.cause, depth - 1) }),
    ...(error instanceof AggregateError && depth > 0
      ? { errors: error.errors.slice(0, WIDTH).map((each) => loggedError(each, depth - 1)) }
      : {}),
  };
}

function memberOf(error: Error, name: 'code' | 'status'): unknown {
  return name in error ? Reflect.get(error, name) : undefined;
}

/** What is no JSON is quoted by who could not read it. */
function withoutQuotes(error: Error, text: string): string {
  return error.name === 'SyntaxError' ? text.replace(/"[\s\S]*" is not valid JSON/, '"…" is not valid JSON') : text;
}
