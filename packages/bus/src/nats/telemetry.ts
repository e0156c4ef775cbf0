/** What the link to NATS tells whoever operates this process. */
import type { CounterCell, Metrics } from '@fosp/runtime';
import type { BusErrorCode } from '../transport.ts';

export interface NatsTelemetry {
  /** The link broke. */
  disconnected(): void;
  /** Of a lease that was not given up. */
  leaseLost(): void;
  /** A message for a stream; `outcome` says why it may not be there. */
  appended(stream: string, outcome: 'ok' | BusErrorCode): void;
}

export const NO_TELEMETRY: NatsTelemetry = {
  disconnected: () => undefined,
  leaseLost: () => undefined,
  appended: () => undefined,
};

/** Levels, read whenever metrics are. */
export interface NatsLevels {
  readonly isUp: boolean;
  /** Appends that are not confirmed. */
  readonly appending: number;
  /** Names of those that are held. */
  readonly heldLeases: Iterable<string>;
}

const APPENDED =
  'Messages for durable streams, by outcome: ok, overloaded (the stream is full), closed (it is not known).';

export function createNatsTelemetry(metrics: Metrics): NatsTelemetry {
  const losses = metrics.counter('fosp_nats_disconnects_total', 'Times that the link to NATS broke.');
  const leases = metrics.counter(
    'fosp_nats_lease_losses_total',
    'Leases lost to a broken link, or to another process.',
  );
  const appends = metrics.counters('fosp_nats_appends_total', APPENDED, ['stream', 'outcome']);
  const cells = new Map<string, CounterCell>();
  const cellOf = (name: string, outcome: string) => {
    const key = `${name} ${outcome}`;
    // What is for other domains is spread over many streams, which are one to whoever looks on.
    const cell = cells.get(key) ?? appends.with({ stream: name.replace(/-\d+$/, ''), outcome });
    cells.set(key, cell);
    return cell;
  };
  return {
    disconnected: () => losses.add(),
    leaseLost: () => leases.add(),
    appended: (name, outcome) => cellOf(name, outcome).add(),
  };
}

export function addNatsLevels(metrics: Metrics, levels: NatsLevels): void {
  metrics.gauge('fosp_nats_connected', 'Whether the link to NATS is up.', () => (levels.isUp ? 1 : 0));
  metrics.gauge(
    'fosp_nats_appends_waiting',
    'Messages for streams that NATS has not confirmed.',
    () => levels.appending,
  );
  const held =
    'Leases that this process has: notifications (partitions of the changes, of 16), trees (parts of all trees, of 32), peer (other domains).';
  metrics.gauges('fosp_nats_leases_held', held, { labelNames: ['kind'], read: () => leasesByKind(levels.heldLeases) });
}

function leasesByKind(names: Iterable<string>) {
  const counts = new Map<string, number>();
  for (const name of names) {
    const [kind = ''] = name.split('.');
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return Array.from(counts, ([kind, value]) => ({ labels: { kind }, value }));
}
