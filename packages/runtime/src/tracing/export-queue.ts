/**
 * Spans on their way to the collector: in batches, one batch at a time, so that a collector which is slow or gone is never
 * waited for by anything. What finds the queue full is dropped, what could not be sent is not tried again; both are counted.
 */
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { CounterCell } from '../metrics.ts';
import { waitAtMost } from '../patience.ts';

export interface ExportQueueOptions {
  readonly exporter: SpanExporter;
  /** Spans that wait. */
  readonly limit: number;
  readonly batch: number;
  /** Milliseconds that a span waits for others. */
  readonly delay: number;
  /** Milliseconds for what waits at the end. */
  readonly flushPatience: number;
  readonly counts: { readonly exported: CounterCell; readonly dropped: CounterCell; readonly failed: CounterCell };
  /** Told when the collector takes no more, and when it does again. */
  readonly told: (state: 'failing' | 'working', error?: unknown) => void;
}

export class ExportQueue implements SpanProcessor {
  readonly #options: ExportQueueOptions;
  #waiting: ReadableSpan[] = [];
  #sending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isFailing = false;
  #isClosed = false;

  constructor(options: ExportQueueOptions) {
    this.#options = options;
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    const { limit, batch, delay, counts } = this.#options;
    if (this.#isClosed || this.#waiting.length >= limit) {
      counts.dropped.add();
      return;
    }
    this.#waiting.push(span);
    if (this.#waiting.length >= batch) {
      this.#send();
    } else {
      this.#timer ??= setTimeout(() => this.#send(), delay).unref();
    }
  }

  async forceFlush(): Promise<void> {
    while (this.#waiting.length > 0 || this.#sending !== undefined) {
      this.#send();
      await this.#sending;
    }
  }

  /** Sends what waits, within the patience; what is left then is dropped. */
  async shutdown(): Promise<void> {
    this.#isClosed = true;
    const { counts, exporter, flushPatience } = this.#options;
    await waitAtMost(flushPatience, this.forceFlush());
    clearTimeout(this.#timer);
    counts.dropped.add(this.#waiting.splice(0).length);
    // Not waited for: it would wait for what is being sent.
    void exporter.shutdown().catch(() => undefined);
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#sending !== undefined || this.#waiting.length === 0) {
      return;
    }
    this.#sending = this.#export(this.#waiting.splice(0, this.#options.batch)).then(() => {
      this.#sending = undefined;
      if (this.#waiting.length >= this.#options.batch) {
        this.#send();
      } else if (this.#waiting.length > 0) {
        this.#timer ??= setTimeout(() => this.#send(), this.#options.delay).unref();
      }
    });
  }

  #export(spans: ReadableSpan[]): Promise<void> {
    const { counts, exporter } = this.#options;
    return new Promise((resolve) => {
      exporter.export(spans, ({ code, error }) => {
        // Of the library's codes, 0 is success.
        const isSent = code === 0;
        (isSent ? counts.exported : counts.failed).add(spans.length);
        this.#tell(!isSent, error);
        resolve();
      });
    });
  }

  #tell(isFailing: boolean, error: unknown): void {
    if (isFailing !== this.#isFailing) {
      this.#isFailing = isFailing;
      this.#options.told(isFailing ? 'failing' : 'working', error);
    }
  }
}
