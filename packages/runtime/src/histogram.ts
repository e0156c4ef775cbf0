import { Histogram, type HistogramConfiguration } from 'prom-client';

export interface HistogramCell {
  observe(value: number): void;
}

type Labels = Readonly<Record<string, string>>;

/**
 * prom-client's histogram, with cells of our own in place of its observations: those hash their labels each time, which
 * costs more than some of what is measured.
 */
export class CellHistogram extends Histogram<string> {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: Float64Array;
  readonly #cells: { readonly labels: Labels; readonly cell: BucketCell }[] = [];

  constructor(options: HistogramConfiguration<string> & { readonly buckets: number[] }) {
    super(options);
    this.#name = options.name;
    this.#help = options.help;
    this.#bounds = Float64Array.from(options.buckets);
  }

  cell(labels: Labels): HistogramCell {
    const cell = new BucketCell(this.#bounds);
    this.#cells.push({ labels, cell });
    return cell;
  }

  /** What the registry asks, and `get` too. */
  async getForPromString() {
    const values = this.#cells.flatMap(({ labels, cell }) => this.#valuesOf(labels, cell));
    return { name: this.#name, help: this.#help, type: 'histogram', aggregator: 'sum', values };
  }

  #valuesOf(labels: Labels, cell: BucketCell) {
    let sum = 0;
    const buckets = [...this.#bounds, Number.POSITIVE_INFINITY].map((bound, index) => {
      sum += cell.counts[index] ?? 0;
      const le = bound === Number.POSITIVE_INFINITY ? '+Inf' : bound;
      return { metricName: `${this.#name}_bucket`, labels: { le, ...labels }, value: sum };
    });
    return [
      ...buckets,
      { metricName: `${this.#name}_sum`, labels: { ...labels }, value: cell.sum },
      { metricName: `${this.#name}_count`, labels: { ...labels }, value: sum },
    ];
  }
}

class BucketCell implements HistogramCell {
  readonly #bounds: Float64Array;
  /** One more than there are bounds: the last counts what is above them all. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(bounds: Float64Array) {
    this.#bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let index = 0;
    while (index < this.#bounds.length && value > (this.#bounds[index] ?? 0)) {
      index++;
    }
    this.counts[index] = (this.counts[index] ?? 0) + 1;
    this.sum += value;
  }
}
