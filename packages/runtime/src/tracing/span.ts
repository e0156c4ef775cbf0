/**
 * Traces as the rest of the program sees them: what was done for one request, by whom, and how long it took.
 *
 * Invariant: names and attributes say what kind of thing was done (OpenTelemetry's conventions where there is one), never to
 * whose object, with which data, by which URL: a trace is read by more people than a database.
 */

export type Attributes = Readonly<Record<string, string | number | boolean>>;

export type SpanKind = 'server' | 'client' | 'consumer' | 'internal';

export interface SpanDetails {
  /** One of few. */
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes?: Attributes;
}

/** One thing that is done. Ends once. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** What whoever goes on elsewhere is told: W3C's `traceparent`. */
  readonly context: string;
  /** Begins something that is part of it. */
  child(details: SpanDetails): Span;
  set(attributes: Attributes): void;
  /** Of an error its kind alone is told: its `code` or name. One whose `status` is below 500 is an answer, no failure. */
  failed(error: unknown): void;
  end(): void;
}

export interface RootDetails extends SpanDetails {
  /** When it began, of `performance.now()`; now by default. */
  readonly since?: number;
  /** The `context` of the span that it is part of; it begins a trace of its own without. */
  readonly parent?: string | undefined;
  /** The `context` of what caused it, and did not wait for it. */
  readonly cause?: string | undefined;
}

export interface Tracer {
  /** Begins what is part of nothing here. `undefined` where it is not among those that are recorded. */
  begin(details: RootDetails): Span | undefined;
  /** Sends what waits to be sent, for a while. */
  close(): Promise<void>;
}
