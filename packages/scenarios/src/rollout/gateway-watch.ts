/** What gateways say of themselves while they come and go: the most of some levels, and the sum of some counts. */
import type { Cluster, Pod } from '@fosp/testkit';
import { figuresOf } from '../metric-of.ts';

const LOOK_MS = 500;
const COUNTS = {
  hashed: 'fosp_gateway_hashes_total',
  connections: 'fosp_gateway_connections_total',
  delayed: 'fosp_gateway_arrivals_delayed_total',
  turnedAway: 'fosp_gateway_turned_away_total',
} as const;
const LEVELS = { hashing: 'fosp_gateway_hashes', arrivalsWaiting: 'fosp_gateway_arrivals_waiting' } as const;

export interface Seen {
  /** Of one gateway at most. */
  readonly most: Readonly<Record<keyof typeof LEVELS, number>>;
  /** Of all, since the last look that was taken. */
  readonly counts: Readonly<Record<keyof typeof COUNTS, number>>;
}

export class GatewayWatch implements Disposable {
  readonly #cluster: Cluster;
  readonly #ticker: NodeJS.Timeout;
  /** By process, since one that is new begins at nothing. */
  readonly #last = new Map<number, Record<keyof typeof COUNTS, number>>();
  #most = { hashing: 0, arrivalsWaiting: 0 };
  #before = emptyCounts();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#ticker = setInterval(() => void this.#lookAtAll(), LOOK_MS);
  }

  /** Since it was taken the last time. */
  async take(): Promise<Seen> {
    await this.#lookAtAll();
    const now = [...this.#last.values()].reduce((sum, counts) => plus(sum, counts), emptyCounts());
    const counts = plus(now, this.#before, -1);
    const seen = { most: this.#most, counts };
    this.#before = now;
    this.#most = { hashing: 0, arrivalsWaiting: 0 };
    return seen;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#ticker);
  }

  async #lookAtAll(): Promise<void> {
    const running = this.#cluster.podsOf('gateway').filter(({ isRunning }) => isRunning);
    await Promise.all(running.map((pod) => this.#look(pod)));
  }

  async #look(pod: Pod): Promise<void> {
    try {
      const { pid } = pod.process;
      const figures = await figuresOf(pod);
      this.#most = {
        hashing: Math.max(this.#most.hashing, figures.sum(LEVELS.hashing)),
        arrivalsWaiting: Math.max(this.#most.arrivalsWaiting, figures.sum(LEVELS.arrivalsWaiting)),
      };
      this.#last.set(pid, {
        hashed: figures.sum(COUNTS.hashed),
        connections: figures.sum(COUNTS.connections),
        delayed: figures.sum(COUNTS.delayed),
        turnedAway: figures.sum(COUNTS.turnedAway),
      });
    } catch {
      // It just went: what it told last stays.
    }
  }
}

function emptyCounts(): Record<keyof typeof COUNTS, number> {
  return { hashed: 0, connections: 0, delayed: 0, turnedAway: 0 };
}

function plus(
  one: Record<keyof typeof COUNTS, number>,
  other: Record<keyof typeof COUNTS, number>,
  sign = 1,
): Record<keyof typeof COUNTS, number> {
  return {
    hashed: one.hashed + sign * other.hashed,
    connections: one.connections + sign * other.connections,
    delayed: one.delayed + sign * other.delayed,
    turnedAway: one.turnedAway + sign * other.turnedAway,
  };
}
