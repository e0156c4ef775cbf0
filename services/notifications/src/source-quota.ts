/**
 * How much one tree may have waiting for other domains: whoever subscribes any number of users of made-up domains to an object fills
 * what is kept for all with each change of it, otherwise.
 *
 * What a tree has told domains counts until it is seen to have left their queues, at which this looks only where it seems to be too
 * much. Domains that were seen to take what they are told have some times as much. A notification beyond that waits for a few looks,
 * in which domains that are there take what waits for them; where that is in vain it is not told, nor is what comes after it, without
 * waiting again, until there is room: for this domain where it has its share, for all where they have too much together. So a tree holds up itself alone, and not again and again.
 *
 * Bounded: of the trees that told anything longest ago it is forgotten.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { LineLengths } from '@fosp/bus';
import { type Bounds, TreeWaiting, type WaitingLimits } from './tree-waiting.ts';

export interface SourceQuotaOptions {
  /** For domains that were not seen to take what they are told. */
  readonly waitingPerTree: WaitingLimits;
  /** That, so many times, for the others. */
  readonly flowingTimes: number;
  /** Milliseconds from one look to the next at least, and for how many a notification waits. */
  readonly lookPause: number;
  readonly looks: number;
  /** Pairs of a tree and another domain that are remembered, and lines that were seen to flow. */
  readonly waitingRemembered: number;
  readonly flowingRemembered: number;
  /** What waits for other domains. */
  readonly queueLengths: () => Promise<ReadonlyMap<string, LineLengths>>;
}

export interface Notice {
  readonly tree: string;
  /** Whom it is for. */
  readonly domain: string;
  readonly bytes: number;
}

export class SourceQuota {
  readonly #options: SourceQuotaOptions;
  /** Whoever told something last is the last. */
  readonly #trees = new Map<string, TreeWaiting>();
  #remembered = 0;
  /** Lines by their name; that was seen to flow last is the last. */
  readonly #flowing = new Set<string>();
  /** How much waited in lines at the last look. */
  #lengths: ReadonlyMap<string, number> = new Map();
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;

  constructor(options: SourceQuotaOptions) {
    this.#options = options;
  }

  /** Trees that are known to have something waiting, or were at the last look. */
  get trees(): number {
    return this.#trees.size;
  }

  /**
   * Resolves with what to call once it is in the queue, or will not be; with undefined where it is not to be told. Rejects where
   * it cannot be looked whether there is room.
   */
  async admit({ tree, domain, bytes }: Notice): Promise<(() => void) | undefined> {
    for (let looks = 0; ; looks++) {
      // Anew each time: it may have been forgotten meanwhile.
      const waiting = this.#waitingOf(tree);
      const bounds = this.#boundsOf(lineName(waiting.own, domain));
      if (waiting.fits(domain, bytes, bounds)) {
        this.#remembered += waiting.domains.has(domain) ? 0 : 1;
        const arrived = waiting.add(domain, bytes);
        this.#forgetSome();
        return arrived;
      }
      if (looks >= this.#options.looks || waiting.isRefused(domain, bytes, bounds)) {
        waiting.refuse(domain, bytes, bounds);
        this.#lookAnew().catch(() => undefined);
        return undefined;
      }
      await this.#lookAnew();
    }
  }

  /** Rejects where it cannot be looked; then all is as it was. */
  #lookAnew(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const since = performance.now() - this.#lookedAt;
    if (since < this.#options.lookPause) {
      await pause(this.#options.lookPause - since, undefined, { ref: false });
    }
    for (const waiting of this.#trees.values()) {
      waiting.beginLook();
    }
    try {
      this.#settle(await this.#options.queueLengths());
    } finally {
      this.#lookedAt = performance.now();
    }
  }

  #settle(lengths: ReadonlyMap<string, LineLengths>): void {
    const lines = new Map<string, number>();
    const emptied = new Set<string>();
    this.#remembered = 0;
    for (const [tree, waiting] of this.#trees) {
      for (const [domain, { count, unseen }] of waiting.domains) {
        const line = lineName(waiting.own, domain);
        const queued = queuedIn(lengths.get(domain), waiting.own);
        lines.set(line, queued);
        // Fewer than there were, or than this tree alone had there.
        if (queued < Math.max(this.#lengths.get(line) ?? 0, count - unseen)) {
          emptied.add(line);
        }
        waiting.seen(domain, queued, this.#boundsOf(line));
      }
      this.#remembered += waiting.domains.size;
      waiting.endLook(this.#options.waitingPerTree);
      if (waiting.domains.size === 0) {
        this.#trees.delete(tree);
      }
    }
    for (const [line, queued] of lines) {
      this.#judge(line, { isEmptied: emptied.has(line), queued });
    }
    this.#lengths = lines;
  }

  /** A line in which there is nothing, and was nothing, is what it was. */
  #judge(line: string, { isEmptied, queued }: { readonly isEmptied: boolean; readonly queued: number }): void {
    if (isEmptied) {
      this.#flowing.delete(line);
      this.#flowing.add(line);
    } else if (queued > 0) {
      this.#flowing.delete(line);
    }
    const [oldest = line] = this.#flowing;
    if (this.#flowing.size > this.#options.flowingRemembered) {
      this.#flowing.delete(oldest);
    }
  }

  #boundsOf(line: string): Bounds {
    const { flowingTimes, waitingPerTree: limits } = this.#options;
    return { limits, times: this.#flowing.has(line) ? flowingTimes : 1 };
  }

  #waitingOf(tree: string): TreeWaiting {
    const waiting = this.#trees.get(tree) ?? new TreeWaiting(tree);
    this.#trees.delete(tree);
    this.#trees.set(tree, waiting);
    return waiting;
  }

  #forgetSome(): void {
    for (const [tree, { domains }] of this.#trees) {
      if (this.#remembered <= this.#options.waitingRemembered || this.#trees.size === 1) {
        return;
      }
      this.#trees.delete(tree);
      this.#remembered -= domains.size;
    }
  }
}

/** With what older programs kept for all domains of ours, of which it is not known whose it is. */
function queuedIn(lengths: LineLengths | undefined, own: string): number {
  return (lengths?.get(own) ?? 0) + (lengths?.get('') ?? 0);
}

function lineName(own: string, domain: string): string {
  return `${own} ${domain}`;
}
