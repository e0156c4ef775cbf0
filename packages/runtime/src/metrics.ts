/**
 * Metrics of a process, for Prometheus. What hot paths touch is a cell, bound to its labels once and no more than a
 * number to add to; label names are hashed and lines written only when somebody reads them. What is a level rather than
 * an event (queue lengths, open connections) is not kept here at all but asked for at that moment.
 *
 * Invariant: one registry per `Metrics`, so that tests and standalone share nothing by accident.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { CellHistogram, type HistogramCell } from './histogram.ts';

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

/** Seconds, for what takes a millisecond to ten seconds. */
export const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] as const;

export class Metrics {
  readonly #registry = new Registry();

  /** Adds memory, CPU time, garbage collection and the lag of the event loop: once per process. */
  addProcessMetrics(): void {
    collectDefaultMetrics({ register: this.#registry });
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

  /** `read` is asked whenever metrics are read. */
  gauge(name: string, help: string, read: () => number): void {
    this.gauges<never>(name, help, { labelNames: [], read: () => [{ labels: {}, value: read() }] });
  }

  gauges<Name extends string>(
    name: string,
    help: string,
    { labelNames, read }: { labelNames: readonly Name[]; read: () => Iterable<LabelledValue<Name>> },
  ): void {
    new Gauge<string>({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const { labels, value } of read()) {
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

  /** What `/metrics` answers. */
  async text(): Promise<{ contentType: string; body: string }> {
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }
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
