/**
 * A request as the span that all else done for it is part of: its type, the domain it is on, how it was answered. Not who asked,
 * nor for what.
 */
import type { Span, Tracer } from '@fosp/runtime';
import type { Exchange } from './exchange.ts';

/** Of the request itself, and of an answer to one of ours by another domain's server. */
export const STATUS_CODE = 'fosp.response.status_code';

/** A span that its asker told is believed where its party may say so, and is nothing otherwise. */
export function beginRequest(tracer: Tracer, { type, since, message, party, requestId }: Exchange): Span | undefined {
  const { headers, resource } = message.head;
  return tracer.begin({
    name: type,
    kind: 'server',
    since,
    parent: party.believesTraces ? headers['Traceparent'] : undefined,
    attributes: {
      'rpc.system.name': 'fosp',
      'rpc.method': type,
      'fosp.request.id': requestId,
      ...(resource === undefined ? {} : { 'fosp.domain': resource.domain }),
    },
  });
}
