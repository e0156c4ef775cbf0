/**
 * What is counted of calls, at both ends. Per call this is two readings of the clock and a few additions: meters are found
 * once per call by its subject, and keep their cells.
 */
import type { CounterCell, HistogramCell, Labelled, Metrics } from '@fosp/runtime';
import { errorCodeOf } from './call-errors.ts';
import { type BusErrorCode, type BusMessage, isBusError } from './transport.ts';

/** One attempt at a call; `begin` gives what `ended` and the others take, and either of them is called once. */
export interface CallMeter {
  begin(): number;
  /** There is an answer, be it an error. */
  answered(since: number, reply: BusMessage): void;
  /** There is none; where it is for one of the `usual` reasons, somebody else is asked. */
  failed(since: number, error: unknown, usual?: ReadonlySet<BusErrorCode>): void;
}

export interface CallMeters {
  /** By the subject of the type, whatever the place. */
  asked(subject: string): CallMeter;
  served(subject: string): CallMeter;
}

const IDLE: CallMeter = { begin: () => 0, answered: () => undefined, failed: () => undefined };

export const NO_METERS: CallMeters = { asked: () => IDLE, served: () => IDLE };

const ASKED =
  'Attempts at calls to other services, by how they went: ok, the code of the error that was the answer, or why there was none (no-responders, deadline, overloaded, closed); elsewhere where another process was asked in its place.';
const SERVED = 'Calls answered, by outcome: ok, or the code of the error.';

/** At both ends. */
export function createCallMeters(metrics: Metrics): CallMeters {
  const asked = new Meters({
    outcomes: metrics.counters('fosp_bus_asked_total', ASKED, ['call', 'outcome']),
    durations: metrics.histograms('fosp_bus_asked_seconds', 'From the asking to the answer, or to having none.', {
      labelNames: ['call'],
    }),
  });
  metrics.gauges('fosp_bus_asking', 'Calls to other services that wait for their answer.', {
    labelNames: ['call'],
    read: () => asked.running(),
  });
  return { ...createServedMeters(metrics), asked: (subject) => asked.of(subject) };
}

/** Where calls are asked and served in one process: at the end that serves them, which is half of what both would cost. */
export function createServedMeters(metrics: Metrics): CallMeters {
  const served = new Meters({
    outcomes: metrics.counters('fosp_bus_served_total', SERVED, ['call', 'outcome']),
    durations: metrics.histograms('fosp_bus_served_seconds', 'How long calls were worked at.', {
      labelNames: ['call'],
    }),
  });
  metrics.gauges('fosp_bus_serving', 'Calls that are worked at.', {
    labelNames: ['call'],
    read: () => served.running(),
  });
  return { ...NO_METERS, served: (subject) => served.of(subject) };
}

interface MeterCells {
  readonly outcomes: Labelled<'call' | 'outcome', CounterCell>;
  readonly durations: Labelled<'call', HistogramCell>;
}

class Meters {
  readonly #cells: MeterCells;
  readonly #meters = new Map<string, Meter>();

  constructor(cells: MeterCells) {
    this.#cells = cells;
  }

  of(subject: string): Meter {
    let meter = this.#meters.get(subject);
    if (meter === undefined) {
      meter = new Meter(subject.slice(subject.indexOf('.') + 1), this.#cells);
      this.#meters.set(subject, meter);
    }
    return meter;
  }

  *running() {
    for (const { call, running } of this.#meters.values()) {
      yield { labels: { call }, value: running };
    }
  }
}

class Meter implements CallMeter {
  readonly call: string;
  running = 0;
  readonly #cells: MeterCells;
  readonly #duration: HistogramCell;
  readonly #ok: CounterCell;
  /** Codes of errors are few. */
  readonly #errors = new Map<string, CounterCell>();

  constructor(call: string, cells: MeterCells) {
    this.call = call;
    this.#cells = cells;
    this.#duration = cells.durations.with({ call });
    this.#ok = cells.outcomes.with({ call, outcome: 'ok' });
  }

  begin(): number {
    this.running++;
    return performance.now();
  }

  answered(since: number, reply: BusMessage): void {
    this.#end(since);
    const code = errorCodeOf(reply);
    (code === undefined ? this.#ok : this.#error(code)).add();
  }

  failed(since: number, error: unknown, usual?: ReadonlySet<BusErrorCode>): void {
    this.#end(since);
    const code = isBusError(error) ? error.code : 'failed';
    this.#error(code !== 'failed' && usual?.has(code) === true ? 'elsewhere' : code).add();
  }

  #end(since: number): void {
    this.running--;
    this.#duration.observe((performance.now() - since) / 1000);
  }

  #error(outcome: string): CounterCell {
    let cell = this.#errors.get(outcome);
    if (cell === undefined) {
      cell = this.#cells.outcomes.with({ call: this.call, outcome });
      this.#errors.set(outcome, cell);
    }
    return cell;
  }
}
