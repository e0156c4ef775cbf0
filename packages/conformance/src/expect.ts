/** Assertions that say what was expected and what came. A failed one throws a `Failure`; a case that cannot run, a `Skip`. */
import { isDeepStrictEqual } from 'node:util';
import { describe, type Reply, utf8 } from './wire/message.ts';
import { isRecord } from './wire/strict.ts';

/** The server did something else than PROTOCOL.md says. */
export class Failure extends Error {
  readonly expected: string;
  readonly came: string;
  constructor(expected: string, came: string) {
    super(`expected ${expected}\n     came ${came}`);
    this.name = 'Failure';
    this.expected = expected;
    this.came = came;
  }
}

/** The case does not apply to this server, or cannot be tried on it. */
export class Skip extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'Skip';
  }
}

/** An object as SELECT or a notification shows it. */
export interface View {
  readonly owner?: string;
  readonly btime?: string;
  readonly mtime?: string;
  readonly type?: string;
  readonly data?: unknown;
  readonly acl?: Readonly<Record<string, unknown>>;
  readonly subscriptions?: Readonly<Record<string, { readonly events: readonly string[]; readonly depth: number }>>;
  readonly attachment?: Readonly<Record<string, unknown>>;
}

export function fail(expected: string, came: string): never {
  throw new Failure(expected, came);
}

export function expectThat(condition: boolean, expected: string, came: unknown): void {
  if (!condition) fail(expected, show(came));
}

export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (!isDeepStrictEqual(actual, expected)) fail(`${what}: ${show(expected)}`, show(actual));
}

/** Passes the reply on, so that it can be looked at further. */
export function expectStatus(reply: Reply, status: number | readonly number[], why = ''): Reply {
  const allowed = typeof status === 'number' ? [status] : status;
  if (!allowed.includes(reply.status)) fail(`${allowed.join(' or ')}${why && ` (${why})`}`, describe(reply));
  return reply;
}

/** A failure whose message names the field, or one of the ways to name it. */
export function expectNamed(reply: Reply, status: number, names: readonly string[]): void {
  expectStatus(reply, status, `naming ${names.join(' or ')}`);
  const message = String(jsonObject(reply)['message']);
  const named = names.some((name) => message.toLowerCase().includes(name.toLowerCase()));
  expectThat(named, `a message that names ${names.join(' or ')}`, message);
}

export function bodyText(reply: Reply): string {
  return utf8(reply.body) ?? fail('a body in UTF-8', describe(reply));
}

export function json(reply: Reply): unknown {
  try {
    return JSON.parse(bodyText(reply));
  } catch {
    return fail('a JSON body', describe(reply));
  }
}

export function jsonObject(reply: Reply): Record<string, unknown> {
  const value = json(reply);
  return isRecord(value) ? value : fail('a JSON object as body', describe(reply));
}

export function show(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return text.length > 600 ? `${text.slice(0, 600)}… (${text.length} characters)` : text;
}
