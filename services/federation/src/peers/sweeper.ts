/**
 * Looks after domains for which notifications wait: those of this process are told, and those that nobody has, since their
 * owner died or never was, are taken. And gives up domains that nobody needs.
 */
import { type Bus, type BusSubscription, type LineLengths, type NudgeReason, totalOf } from '@fosp/bus';
import type { RemoteQueue } from '../queue/remote-queue.ts';
import type { Ownership } from './ownership.ts';
import type { OwnershipTelemetry } from './telemetry.ts';

export interface SweeperLimits {
  /** Between two looks. */
  readonly sweepSeconds: number;
  /** Domains of others that are asked for in one look, in turns. */
  readonly adoptionsPerSweep: number;
}

export const SWEEPER_LIMITS: SweeperLimits = { sweepSeconds: 1.5, adoptionsPerSweep: 100 };

export interface SweeperDeps {
  readonly bus: Bus;
  readonly queue: RemoteQueue;
  readonly ownership: Ownership;
  readonly limits: SweeperLimits;
  /** From 0 up to but not including 1. */
  readonly random: () => number;
  readonly telemetry: OwnershipTelemetry;
  /** A server of this domain was let in somewhere. */
  readonly heard: (domain: string) => void;
}

export class Sweeper {
  readonly #deps: SweeperDeps;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #nudges: BusSubscription | undefined;
  #next = 0;
  #queued = 0;
  #queuedOf: ReadonlyMap<string, number> = new Map();
  #isStopped = false;

  constructor(deps: SweeperDeps) {
    this.#deps = deps;
  }

  /** Notifications that waited for domains of this process at the last look. */
  get queued(): number {
    return this.#queued;
  }

  /** The same for one of them. */
  queuedOf(domain: string): number {
    return this.#queuedOf.get(domain) ?? 0;
  }

  async start(): Promise<void> {
    this.#nudges = await this.#deps.bus.onNudge((...nudge) => void this.#nudged(...nudge));
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#nudges?.stop();
    await this.#running;
  }

  async #nudged(domain: string, why: NudgeReason, own: string): Promise<void> {
    const { heard, ownership, queue, telemetry } = this.#deps;
    const peer = ownership.get(domain);
    if (why === 'heard') {
      heard(domain);
    }
    if (peer !== undefined) {
      peer.wake(why === 'heard', own === '' ? undefined : [own]);
      return;
    }
    try {
      if (!this.#isStopped && (await queue.lineLengths(domain)).size > 0) {
        await ownership.acquire(domain);
      }
    } catch (error) {
      telemetry.notSwept(error);
    }
  }

  #schedule(): void {
    const { limits, random } = this.#deps;
    // Not all processes at the same time.
    const pause = limits.sweepSeconds * 1000 * (0.75 + random() / 2);
    this.#timer = setTimeout(() => {
      this.#running = this.#sweep()
        .catch((error: unknown) => this.#deps.telemetry.notSwept(error))
        .finally(() => {
          if (!this.#isStopped) {
            this.#schedule();
          }
        });
    }, pause);
  }

  async #sweep(): Promise<void> {
    const { limits, ownership, queue } = this.#deps;
    await ownership.giveUpIdle();
    const others: string[] = [];
    let ours = 0;
    const queuedOf = new Map<string, number>();
    const lengths = await queue.lengths();
    for (const [domain, lines] of lengths) {
      const peer = ownership.get(domain);
      if (peer === undefined) {
        others.push(domain);
      } else {
        const total = totalOf(lines);
        ours += total;
        queuedOf.set(domain, total);
        peer.wake(false, lines.keys());
      }
    }
    this.#queued = ours;
    this.#queuedOf = queuedOf;
    others.sort();
    const count = Math.min(limits.adoptionsPerSweep, others.length);
    for (let index = 0; index < count && !this.#isStopped; index++) {
      await ownership.acquire(others[(this.#next + index) % others.length] ?? '');
    }
    this.#next = others.length === 0 ? 0 : (this.#next + count) % others.length;
    await this.#keepBounds(lengths);
  }

  /** What cannot be trimmed for one domain is trimmed for others all the same. */
  async #keepBounds(lengths: ReadonlyMap<string, LineLengths>): Promise<void> {
    const { ownership, telemetry } = this.#deps;
    for (const [domain, lines] of lengths) {
      if (this.#isStopped) {
        return;
      }
      await ownership
        .get(domain)
        ?.keepBounds(lines)
        .catch((error: unknown) => telemetry.notSwept(error));
    }
  }
}
