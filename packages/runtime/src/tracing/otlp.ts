/** Traces by OpenTelemetry's own library, sent by OTLP over HTTP. Loaded only where they are on. */
import {
  type Link,
  ROOT_CONTEXT,
  SpanKind as SdkKind,
  type Span as SdkSpan,
  type Tracer as SdkTracer,
  type SpanContext,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Metrics } from '../metrics.ts';
import { ExportQueue } from './export-queue.ts';
import type { TracerParts, TracerSettings } from './settings.ts';
import type { Attributes, RootDetails, Span, SpanDetails, SpanKind, Tracer } from './span.ts';

const KINDS: Readonly<Record<SpanKind, SdkKind>> = {
  server: SdkKind.SERVER,
  client: SdkKind.CLIENT,
  consumer: SdkKind.CONSUMER,
  internal: SdkKind.INTERNAL,
};

/** Spans by what became of them. */
export function createSpanCounts(metrics: Metrics) {
  const spans = metrics.counters('fosp_traces_spans_total', 'Spans of traces, by what became of them.', ['outcome']);
  return {
    exported: spans.with({ outcome: 'exported' }),
    dropped: spans.with({ outcome: 'dropped' }),
    failed: spans.with({ outcome: 'failed' }),
  };
}

export function createOtlpTracer(
  settings: TracerSettings,
  { log, metrics, random = Math.random }: TracerParts,
): Tracer {
  const { url, headers, resource, queue, batch, delay, flushMilliseconds } = settings;
  const counts = createSpanCounts(metrics);
  const provider = new TracerProvider({
    resource: resourceFromAttributes(resource),
    sampler: samplerOf(settings),
    spanProcessors: [
      new ExportQueue({
        exporter: new OTLPTraceExporter({ url: url.reveal(), headers: { ...headers } }),
        ...{ limit: queue, batch, delay, flushPatience: flushMilliseconds },
        counts,
        told: (state, error) =>
          state === 'failing'
            ? log.warn(
                { reason: kindOf(error) },
                'traces cannot be sent to their collector: they are dropped and counted',
              )
            : log.info('traces reach their collector again'),
      }),
    ],
  });
  const tracer = provider.getTracer('fosp');
  const share = settings.sampler.endsWith('traceidratio') ? settings.share : 1;
  const draw = () => share === 1 || random() < share;
  return {
    begin: (details) => begin(tracer, details, draw),
    close: () => provider.shutdown(),
  };
}

/** @param draw whether one is recorded of which nothing was decided before */
function begin(
  tracer: SdkTracer,
  { name, kind, attributes = {}, since, parent, cause }: RootDetails,
  draw: () => boolean,
): Span | undefined {
  if (parent === undefined && cause === undefined && !draw()) {
    return undefined;
  }
  const above = parent === undefined ? undefined : contextIn(parent);
  const context = above === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, above);
  const caused = cause === undefined ? undefined : contextIn(cause);
  const links: Link[] = caused === undefined ? [] : [{ context: caused }];
  const options = { kind: KINDS[kind], attributes, links, ...(since === undefined ? {} : { startTime: since }) };
  const span = tracer.startSpan(name, options, context);
  return span.isRecording() ? new TracedSpan(tracer, span) : undefined;
}

class TracedSpan implements Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly #tracer: SdkTracer;
  readonly #span: SdkSpan;

  constructor(tracer: SdkTracer, span: SdkSpan) {
    const { traceId, spanId } = span.spanContext();
    this.traceId = traceId;
    this.spanId = spanId;
    this.#tracer = tracer;
    this.#span = span;
  }

  get context(): string {
    return `00-${this.traceId}-${this.spanId}-01`;
  }

  child({ name, kind, attributes = {} }: SpanDetails): Span {
    const options = { kind: KINDS[kind], attributes };
    return new TracedSpan(this.#tracer, this.#tracer.startSpan(name, options, trace.setSpan(ROOT_CONTEXT, this.#span)));
  }

  set(attributes: Attributes): void {
    this.#span.setAttributes(attributes);
  }

  failed(error: unknown): void {
    this.#span.setAttribute('error.type', kindOf(error));
    if (!isAnswer(error)) {
      this.#span.setStatus({ code: SpanStatusCode.ERROR });
    }
  }

  end(): void {
    this.#span.end();
  }
}

/** Whoever linked something had it recorded, so what it caused is too: or nothing would lead there. */
class FollowingCause implements Sampler {
  readonly #others: Sampler;

  constructor(others: Sampler) {
    this.#others = others;
  }

  shouldSample(...asked: Parameters<Sampler['shouldSample']>): ReturnType<Sampler['shouldSample']> {
    const links = asked[5];
    return links.length > 0 && links.every(({ context }) => isRecorded(context))
      ? { decision: SamplingDecision.RECORD_AND_SAMPLED }
      : this.#others.shouldSample(...asked);
  }

  toString(): string {
    return `FollowingCause{${this.#others.toString()}}`;
  }
}

function samplerOf({ sampler, share }: TracerSettings): Sampler {
  const [, parentBased, kind] = /^(parentbased_)?(.*)$/.exec(sampler) ?? [];
  const root =
    kind === 'always_off'
      ? new AlwaysOffSampler()
      : kind === 'traceidratio'
        ? new RatioOfStrangers(share)
        : new AlwaysOnSampler();
  return new FollowingCause(parentBased === undefined ? root : new ParentBasedSampler({ root }));
}

/**
 * Ids are random, so to draw whether a request is recorded before it has one comes to the same, and costs the others nothing.
 * Only what came with an id, and was not recorded where it came from, is judged by that.
 */
class RatioOfStrangers implements Sampler {
  readonly #byId: Sampler;

  constructor(share: number) {
    this.#byId = new TraceIdRatioBasedSampler(share);
  }

  shouldSample(...asked: Parameters<Sampler['shouldSample']>): ReturnType<Sampler['shouldSample']> {
    const above = trace.getSpanContext(asked[0]);
    const isDecided = above === undefined || isRecorded(above);
    return isDecided ? { decision: SamplingDecision.RECORD_AND_SAMPLED } : this.#byId.shouldSample(...asked);
  }

  toString(): string {
    return `RatioOfStrangers{${this.#byId.toString()}}`;
  }
}

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** `undefined` where it is none. */
function contextIn(traceparent: string): SpanContext | undefined {
  const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(traceparent) ?? [];
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
  return trace.isSpanContextValid(context) ? context : undefined;
}

function isRecorded({ traceFlags }: SpanContext): boolean {
  return (traceFlags & TraceFlags.SAMPLED) !== 0;
}

function isAnswer(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'status' in error && Number(error.status) < 500;
}

/** What it says may hold anything; what kind it is of does not. */
function kindOf(error: unknown): string {
  if (error instanceof Error) {
    return 'code' in error && (typeof error.code === 'string' || typeof error.code === 'number')
      ? String(error.code)
      : error.name;
  }
  return 'unknown';
}
