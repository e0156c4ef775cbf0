/**
 * For which request something is done: known to whatever it calls, awaited or not, without being handed on. Lines of the log
 * have its id from here, and parts of a traced one find the span that they are part of.
 *
 * To enter a scope takes a fifth of a microsecond: what is much quicker than a hundred times that enters none unless it is
 * traced. What outlives the request that happened to start it (a connection, a queue's worker) is begun `detached`, or the
 * request would be named for all that comes later.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Span, SpanDetails } from './span.ts';

export interface Scope {
  readonly requestId: string;
  /** Where it is traced. */
  readonly span: Span | undefined;
}

const scopes = new AsyncLocalStorage<Scope | undefined>();

/** What is being done, where it is traced. */
export function activeSpan(): Span | undefined {
  return scopes.getStore()?.span;
}

/** Which request something is done for, where that is known. */
export function activeRequest(): string | undefined {
  return scopes.getStore()?.requestId;
}

/** Does something for a request: what it calls belongs to that. */
export function within<T>(scope: Scope | undefined, work: () => T): T {
  return scope === scopes.getStore() ? work() : scopes.run(scope, work);
}

/** Does something that belongs to nobody's request. */
export function detached<T>(work: () => T): T {
  return within(undefined, work);
}

/** The same function, belonging to the request for which it is made, whoever calls it. */
export function bound<Given extends unknown[], T>(work: (...given: Given) => T): (...given: Given) => T {
  const scope = scopes.getStore();
  return (...given) => within(scope, () => work(...given));
}

/** Does something as a span of its own, where what it is part of is traced. */
export function traced<T>(
  details: SpanDetails | (() => SpanDetails),
  work: (span: Span | undefined) => Promise<T>,
): Promise<T> {
  const scope = scopes.getStore();
  if (scope?.span === undefined) {
    return work(undefined);
  }
  const span = scope.span.child(typeof details === 'function' ? details() : details);
  return asSpan({ ...scope, span }, () => work(span));
}

/** Does something as this span, which ends with it. */
export async function asSpan<T>(scope: Scope & { readonly span: Span }, work: () => Promise<T>): Promise<T> {
  const { span } = scope;
  try {
    return await scopes.run(scope, work);
  } catch (error) {
    span.failed(error);
    throw error;
  } finally {
    span.end();
  }
}

/** What a line of the log says of the request that it belongs to, if to any. */
export function scopeFields(): { requestId?: string; trace_id?: string; span_id?: string } {
  const scope = scopes.getStore();
  if (scope === undefined) {
    return {};
  }
  const { requestId, span } = scope;
  return span === undefined ? { requestId } : { requestId, trace_id: span.traceId, span_id: span.spanId };
}
