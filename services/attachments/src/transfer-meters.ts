import { type CounterCell, DELAY_BUCKETS, type HistogramCell, type Metrics } from '@fosp/runtime';

/** Counts the files that go through this process one way. */
export class TransferMeter {
  readonly #bytes: CounterCell;
  readonly #duration: HistogramCell;
  #running = 0;

  constructor(bytes: CounterCell, duration: HistogramCell) {
    this.#bytes = bytes;
    this.#duration = duration;
  }

  get running(): number {
    return this.#running;
  }

  /** `transfer` tells its bytes once all went through. */
  async measure(transfer: () => Promise<number>): Promise<void> {
    const begun = performance.now();
    this.#running++;
    try {
      this.#bytes.add(await transfer());
      this.#duration.observe((performance.now() - begun) / 1000);
    } finally {
      this.#running--;
    }
  }
}

export interface TransferMeters {
  /** From gateways. */
  readonly up: TransferMeter;
  readonly down: TransferMeter;
}

const BYTES = 'Bytes of files that went through this process, not straight between gateway and store.';

export function createTransferMeters(metrics: Metrics): TransferMeters {
  const bytes = metrics.counters('fosp_attachments_transfer_bytes_total', BYTES, ['direction']);
  const durations = metrics.histograms('fosp_attachments_transfer_seconds', 'How long those files took.', {
    labelNames: ['direction'],
    buckets: DELAY_BUCKETS,
  });
  const meterOf = (direction: 'up' | 'down') =>
    new TransferMeter(bytes.with({ direction }), durations.with({ direction }));
  const meters = { up: meterOf('up'), down: meterOf('down') };
  metrics.gauges('fosp_attachments_transfers', 'Files that go through this process at the moment.', {
    labelNames: ['direction'],
    read: () => Object.entries(meters).map(([direction, { running }]) => ({ labels: { direction }, value: running })),
  });
  return meters;
}
