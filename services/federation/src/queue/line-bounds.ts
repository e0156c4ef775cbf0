/**
 * How much may wait for one other domain, so that none of them fills what is kept for all: looked at again and again by whoever has
 * the domain. The oldest go first, since each notification holds its object as a whole, and the newest say more.
 *
 * A domain of which DNS says that it has no server is one that somebody made up, or that is gone: little is kept for it, and not for
 * long. Only once it was so for that long, at each attempt: records are lost and restored within such a time.
 */
import type { LineLengths } from '@fosp/bus';
import type { RemoteQueue } from './remote-queue.ts';
import type { DeliveryTelemetry, Dropped } from './telemetry.ts';

export interface QueueLimits {
  /** Notifications that wait in one line, and about how many bytes of theirs. */
  readonly queued: number;
  readonly queuedBytes: number;
  /** Between two looks how large those of one line are, where they could be too large. */
  readonly weighSeconds: number;
  /** For a domain that has no server: notifications in one line, and how long any are kept. */
  readonly nowhereQueued: number;
  readonly nowhereSeconds: number;
}

const GIB = 1024 * 1024 * 1024;

export const QUEUE_LIMITS: QueueLimits = {
  queued: 100_000,
  queuedBytes: GIB,
  weighSeconds: 10,
  nowhereQueued: 1000,
  nowhereSeconds: 3600,
};

/** Bytes of the largest notification there can be. */
const LARGEST = 8 * 1024 * 1024;

export interface LineBoundsDeps {
  readonly domain: string;
  readonly queue: Pick<RemoteQueue, 'trim'>;
  readonly limits: QueueLimits;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly telemetry: Pick<DeliveryTelemetry, 'dropped'>;
}

export class LineBounds {
  readonly #deps: LineBoundsDeps;
  /** By domain of ours. */
  readonly #weighedAt = new Map<string, number>();

  constructor(deps: LineBoundsDeps) {
    this.#deps = deps;
  }

  /** `nowhereSince`: when DNS said first, and has said since, that the domain has no server, as that one of ours knows. */
  async keep(lines: LineLengths, nowhereSince: (own: string) => number | undefined): Promise<void> {
    const { limits } = this.#deps;
    for (const [own, queued] of lines) {
      const since = nowhereSince(own);
      if (since !== undefined) {
        await this.#keepNowhere(own, queued, since);
      } else if (queued > limits.queued || this.#isToBeWeighed(own, queued)) {
        await this.#trim(own, { messages: limits.queued, bytes: limits.queuedBytes }, 'too-many');
      }
    }
  }

  async #keepNowhere(own: string, queued: number, since: number): Promise<void> {
    const { clock, limits } = this.#deps;
    const isOver = clock() - since > limits.nowhereSeconds * 1000;
    const messages = isOver ? 0 : limits.nowhereQueued;
    if (queued > messages) {
      await this.#trim(own, { messages, bytes: limits.queuedBytes }, 'nowhere');
    }
  }

  #isToBeWeighed(own: string, queued: number): boolean {
    const { clock, limits } = this.#deps;
    const last = this.#weighedAt.get(own) ?? Number.NEGATIVE_INFINITY;
    if (queued * LARGEST <= limits.queuedBytes || clock() - last < limits.weighSeconds * 1000) {
      return false;
    }
    this.#weighedAt.set(own, clock());
    return true;
  }

  async #trim(own: string, bounds: { readonly messages: number; readonly bytes: number }, why: Dropped): Promise<void> {
    const { domain, queue, telemetry } = this.#deps;
    const dropped = await queue.trim({ own, domain }, bounds);
    if (dropped > 0) {
      telemetry.dropped(domain, why, dropped);
    }
  }
}
