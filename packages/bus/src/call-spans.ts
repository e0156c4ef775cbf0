/**
 * Calls and changes as spans of the request that they are part of, named after the table of calls: `objects/select`. Where a
 * call is served at a place, that is left out: it may be the name of somebody's domain.
 */
import { asSpan, type Span, type SpanDetails, type SpanKind, type Tracer, within } from '@fosp/runtime';
import { type Change, STREAMS } from './events.ts';

/** Of a call that is made. */
export function callOf(subject: string): SpanDetails {
  return rpc(subject, 'client');
}

/** Of a call that is served, of a request that is traced; `trace` is what its caller was told. */
export function beginServing(tracer: Tracer | undefined, subject: string, trace: string): Span | undefined {
  return tracer?.begin({ ...rpc(subject, 'server'), parent: trace });
}

/** Handles a change. What caused it did not wait for it, so its span is linked to that one's, and no part of it. */
export function asConsumer(tracer: Tracer | undefined, change: Change, handle: () => Promise<void>): Promise<void> {
  const { trace, request } = change.event;
  const requestId = request ?? `${change.tree}/${change.sequence}`;
  const span = trace === undefined ? undefined : tracer?.begin({ ...CONSUMED, cause: trace });
  return span === undefined ? within({ requestId, span }, handle) : asSpan({ requestId, span }, handle);
}

const CONSUMED: SpanDetails = {
  name: `process ${STREAMS.changes}`,
  kind: 'consumer',
  attributes: {
    'messaging.system': 'nats',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': STREAMS.changes,
  },
};

function rpc(subject: string, kind: SpanKind): SpanDetails {
  const [, service = '', method = ''] = subject.split('.');
  return {
    name: `${service}/${method}`,
    kind,
    attributes: { 'rpc.system.name': 'fosp', 'rpc.service': service, 'rpc.method': method },
  };
}
