import type { Headers } from '@fosp/protocol';

/** An object as the server shows it to this user (PROTOCOL §5). Which fields are there depends on the rights. */
export interface FospObject {
  readonly owner?: string;
  readonly btime?: string;
  readonly mtime?: string;
  readonly type?: string;
  readonly data?: unknown;
  readonly acl?: Readonly<Record<string, unknown>>;
  readonly subscriptions?: Readonly<Record<string, { readonly events: readonly string[]; readonly depth: number }>>;
  readonly attachment?: { readonly name?: string; readonly size: number; readonly 'mime-type'?: string };
}

export interface Selected {
  /** The JSON as it came: numbers keep digits that `value` may lose. */
  readonly text: string;
  readonly value: FospObject;
  /** For `ifMatch`; absent where the server does not offer `etag`. */
  readonly etag: string | undefined;
}

/** Preconditions (extension `etag`): the change is made only to that version, else FospError `precondition-failed`. */
export interface Condition {
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
}

/** An object or its changes: a value, or JSON text where digits matter. */
export type Body = Readonly<Record<string, unknown>> | string;

export function bodyText(body: Body): string {
  return typeof body === 'string' ? body : JSON.stringify(body);
}

export function conditionHeaders(condition: Condition): Headers {
  return {
    ...(condition.ifMatch === undefined ? {} : { 'If-Match': condition.ifMatch }),
    ...(condition.ifNoneMatch === undefined ? {} : { 'If-None-Match': condition.ifNoneMatch }),
  };
}
