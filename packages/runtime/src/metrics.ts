/**
 * Metrics of a process, for Prometheus. What hot paths touch is a cell, bound to its labels once and no more than a
 * number to add to; label names are hashed and lines written only when somebody reads them. What is a level rather than
 * an event (queue lengths, open connections) is not kept here at all but asked for at that moment.
 *
 * Invariant: one registry per `Metrics`, so that tests and standalone share nothing by accident.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { AskedLevel, type AskedLevelOptions } from './asked-level.ts';
import type { Health } from './health.ts';
import { CellHistogram, type HistogramCell } from './histogram.ts';
import { VERSION } from './version.ts';

export type Labels<Name extends string> = Readonly<Record<Name, string>>;

export interface CounterCell {
  /** Counts 1, or as much as is given. */
  add(amount?: number): void;
}

/** Cells by their labels: bind them once, where a component is made, not per event. */
export interface Labelled<Name extends string, Cell> {
  with(labels: Labels<Name>): Cell;
}

export interface LabelledValue<Name extends string> {
  readonly labels: Labels<Name>;
  readonly value: number;
}

/** A metric as the documentation has it. */
export interface DescribedMetric {
  readonly name: string;
  readonly kind: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

/** Seconds, for what takes a millisecond to ten seconds. */
export const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] as const;

/** Seconds, for what waits in queues: hardly at all, or until somebody mends something. */
export const DELAY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300] as const;

type Later<T> = T | Promise<T>;

export class Metrics {
  readonly #registry = new Registry();

  /** Adds version, readiness, memory, CPU time, garbage collection and the lag of the event loop: once per process. */
  addProcessMetrics(health: Pick<Health, 'reasons'>): void {
    collectDefaultMetrics({ register: this.#registry });
    const ready = 'What /readyz says: 1, or 0 while the process starts, drains, or misses what it needs.';
    this.gauge('fosp_ready', ready, () => (health.reasons().length === 0 ? 1 : 0));
    this.gauges('fosp_build_info', 'Always 1; the label says which version runs.', {
      labelNames: ['version'],
      read: () => [{ labels: { version: VERSION }, value: 1 }],
    });
  }

  counter(name: string, help: string): CounterCell {
    return this.counters<never>(name, help, []).with({});
  }

  counters<Name extends string>(name: string, help: string, labelNames: readonly Name[]): Labelled<Name, CounterCell> {
    const cells = new Cells<Name, CountingCell>(labelNames, () => new CountingCell());
    new Counter<string>({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const { labels, cell } of cells.all()) {
          this.inc(labels, cell.count);
        }
      },
    });
    return cells;
  }

  /** `read` is asked whenever metrics are read; what is undefined is not shown. */
  gauge(name: string, help: string, read: () => Later<number | undefined>): void {
    this.gauges<never>(name, help, {
      labelNames: [],
      read: async () => {
        const value = await read();
        return value === undefined ? [] : [{ labels: {}, value }];
      },
    });
  }

  /** A level that takes a question to somebody else, such as a database; for the `read` of gauges. */
  asked<T>(ask: () => Promise<T>, options: Partial<AskedLevelOptions> = {}): AskedLevel<T> {
    return new AskedLevel(ask, options);
  }

  gauges<Name extends string>(
    name: string,
    help: string,
    { labelNames, read }: { labelNames: readonly Name[]; read: () => Later<Iterable<LabelledValue<Name>>> },
  ): void {
    new Gauge<string>({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      async collect() {
        const values = await read();
        this.reset();
        if (labelNames.length === 0) {
          // Where there is no value, that is not 0.
          this.remove();
        }
        for (const { labels, value } of values) {
          this.set(labels, value);
        }
      },
    });
  }

  /** `buckets` are upper bounds, ascending, in the unit that the name ends with. */
  histogram(name: string, help: string, buckets: readonly number[] = DURATION_BUCKETS): HistogramCell {
    return this.histograms<never>(name, help, { labelNames: [], buckets }).with({});
  }

  histograms<Name extends string>(
    name: string,
    help: string,
    { labelNames, buckets = DURATION_BUCKETS }: { labelNames: readonly Name[]; buckets?: readonly number[] },
  ): Labelled<Name, HistogramCell> {
    const histogram = new CellHistogram({ name, help, labelNames, buckets: [...buckets], registers: [this.#registry] });
    return new Cells<Name, HistogramCell>(labelNames, (labels) => histogram.cell(labels));
  }

  /** All that there are, by name. */
  described(): DescribedMetric[] {
    const described = this.#registry.getMetricsAsArray().map((metric) => ({
      ...{ name: metric.name, help: metric.help, kind: String(metric.type) },
      labelNames: labelNamesOf(metric),
    }));
    return described.sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** What `/metrics` answers. */
  async text(): Promise<{ contentType: string; body: string }> {
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }
}

/** prom-client has them in every metric, and not in its types. */
function labelNamesOf(metric: object): readonly string[] {
  return 'labelNames' in metric && Array.isArray(metric.labelNames) ? metric.labelNames.map(String) : [];
}

class CountingCell implements CounterCell {
  count = 0;

  add(amount = 1): void {
    this.count += amount;
  }
}

class Cells<Name extends string, Cell> implements Labelled<Name, Cell> {
  readonly #labelNames: readonly Name[];
  readonly #create: (labels: Labels<Name>) => Cell;
  readonly #cells = new Map<string, { readonly labels: Labels<Name>; readonly cell: Cell }>();

  constructor(labelNames: readonly Name[], create: (labels: Labels<Name>) => Cell) {
    this.#labelNames = labelNames;
    this.#create = create;
  }

  with(labels: Labels<Name>): Cell {
    const key = JSON.stringify(this.#labelNames.map((name) => labels[name]));
    const known = this.#cells.get(key);
    if (known !== undefined) {
      return known.cell;
    }
    const cell = this.#create(labels);
    this.#cells.set(key, { labels, cell });
    return cell;
  }

  all(): Iterable<{ readonly labels: Labels<Name>; readonly cell: Cell }> {
    return this.#cells.values();
  }
}
