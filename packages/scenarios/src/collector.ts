/**
 * A collector of traces as OpenTelemetry's exporters know it: takes OTLP over HTTP, as JSON, and keeps what it was sent. What
 * is on the wire is read by its own few lines.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { within } from '@fosp/testkit';

export interface CollectedSpan {
  /** `service.name`: whose span it is. */
  readonly service: string;
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes: Readonly<Record<string, unknown>>;
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface WireSpan extends Omit<CollectedSpan, 'service' | 'attributes' | 'links' | 'parentSpanId'> {
  readonly parentSpanId?: string;
  readonly links?: CollectedSpan['links'];
  readonly attributes: readonly Attribute[];
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}

export interface Collector extends AsyncDisposable {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  readonly spans: readonly CollectedSpan[];
  /** All that was sent, as it was. */
  readonly texts: readonly string[];
  /** Headers of the last export. */
  readonly headers: IncomingMessage['headers'];
  /** Connections that were ever made to it. */
  readonly connections: number;
  /** Resolves with what `find` finds in the spans, as soon as it finds something. */
  until<T>(what: string, find: (spans: readonly CollectedSpan[]) => T | undefined): Promise<T>;
}

export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const texts: string[] = [];
  const waiting = new Set<() => void>();
  let connections = 0;
  let headers: IncomingMessage['headers'] = {};
  const server = createServer(async (request, response) => {
    const body = await text(request);
    headers = request.headers;
    texts.push(body);
    spans.push(...spansIn(JSON.parse(body)));
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    for (const look of waiting) {
      look();
    }
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    texts,
    get headers() {
      return headers;
    },
    get connections() {
      return connections;
    },
    until: (what, find) => untilFound(waiting, what, () => find(spans)),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function untilFound<T>(waiting: Set<() => void>, what: string, find: () => T | undefined): Promise<T> {
  const found = Promise.withResolvers<T>();
  const look = () => {
    const result = find();
    if (result !== undefined) {
      found.resolve(result);
    }
  };
  waiting.add(look);
  look();
  return within(found.promise, what).finally(() => waiting.delete(look));
}

/** The spans of one trace as paths from its beginning, `gateway SELECT > gateway objects/select > …`. */
export function pathsOf(spans: readonly CollectedSpan[], traceId: string): string[] {
  const ofTrace = new Map(spans.filter((span) => span.traceId === traceId).map((span) => [span.spanId, span]));
  const pathTo = (span: CollectedSpan): string => {
    const own = `${span.service.replace('fosp-', '')} ${span.name}`;
    const parent = ofTrace.get(span.parentSpanId);
    return parent === undefined ? own : `${pathTo(parent)} > ${own}`;
  };
  return [...ofTrace.values()].map(pathTo);
}

function spansIn({ resourceSpans }: Export): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(valuesOf(resource.attributes)['service.name']);
    return scopeSpans.flatMap((scope) =>
      scope.spans.map((span) => ({
        ...span,
        service,
        parentSpanId: span.parentSpanId ?? '',
        links: span.links ?? [],
        attributes: valuesOf(span.attributes),
      })),
    );
  });
}

function valuesOf(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
