/**
 * What users of other domains are told: it waits in their domain's queue on the bus, one notification per user.
 *
 * Invariants: `queue` resolves once all are kept but those beyond the quota of their tree, so that the change counts as told no earlier; it rejects once none is on its
 * way any more, and what was kept by then counts once when the change comes again. Users are told in the order of the calls, each
 * of which waits for the last.
 */
import { type Bus, type Change, lineOf, type RemoteLine } from '@fosp/bus';
import { domainOf } from '@fosp/protocol';
import type { Audience } from './audiences.ts';
import type { SourceQuota } from './source-quota.ts';

/** One of another domain, and the view that they share with others. */
export interface RemoteReader {
  readonly user: string;
  readonly audience: Audience;
}

/** The change of one object. */
export interface RemoteEvent {
  readonly change: Change;
  readonly path: string;
  /** Of the object within the change. */
  readonly part: number;
}

/** About what a notification takes beside its body. */
const HEADERS_BYTES = 512;

export interface RemoteQueueOptions {
  readonly bus: Pick<Bus, 'appendRemote' | 'nudge'>;
  readonly quota: SourceQuota;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Notifications of one change on their way at once. */
  readonly appendsAtOnce: number;
  /** Milliseconds within which a domain is nudged no second time, for the same one of ours. */
  readonly nudgePause: number;
  /** Lines whose last nudge is remembered; those nudged longest ago are forgotten, and may be nudged early. */
  readonly nudgedDomains: number;
}

export class RemoteQueue {
  readonly #options: RemoteQueueOptions;
  /** When each line was nudged, oldest first. */
  readonly #nudgedAt = new Map<string, number>();

  constructor(options: RemoteQueueOptions) {
    this.#options = options;
  }

  /** Resolves with how many of them are not told, since the tree has too much waiting already. */
  async queue(event: RemoteEvent, readers: readonly RemoteReader[]): Promise<number> {
    const bodies = new Map<Audience, Uint8Array>();
    const failures: unknown[] = [];
    let refused = 0;
    const left = readers[Symbol.iterator]();
    const append = async (): Promise<void> => {
      for (const { user, audience } of left) {
        const body = bodies.get(audience) ?? Buffer.from(audience.body);
        bodies.set(audience, body);
        try {
          const isTold = await this.#append(event, user, body);
          refused += isTold ? 0 : 1;
        } catch (error) {
          failures.push(error);
        }
        if (failures.length > 0) {
          return;
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.#options.appendsAtOnce, readers.length) }, append));
    if (failures.length > 0) {
      throw failures[0];
    }
    return refused;
  }

  async #append({ change, path, part }: RemoteEvent, user: string, body: Uint8Array): Promise<boolean> {
    const { tree, sequence, event } = change;
    const headers = { tree, path, event: event.event, user, source: event.user, sequence, part: String(part) };
    const domain = domainOf(user);
    const { bus, quota } = this.#options;
    const arrived = await quota.admit({ tree, domain, bytes: body.length + HEADERS_BYTES });
    if (arrived === undefined) {
      return false;
    }
    await bus.appendRemote(domain, headers, body).finally(arrived);
    this.#nudge(lineOf(domain, headers));
    return true;
  }

  /** It makes things happen soon, and nothing rests on it: whoever talks to other domains looks for itself now and then. */
  #nudge({ own, domain }: RemoteLine): void {
    const { bus, clock, nudgePause, nudgedDomains } = this.#options;
    const now = clock();
    const line = `${own} ${domain}`;
    if (now - (this.#nudgedAt.get(line) ?? Number.NEGATIVE_INFINITY) < nudgePause) {
      return;
    }
    this.#nudgedAt.delete(line);
    const [oldest] = this.#nudgedAt.keys();
    if (this.#nudgedAt.size >= nudgedDomains && oldest !== undefined) {
      this.#nudgedAt.delete(oldest);
    }
    this.#nudgedAt.set(line, now);
    try {
      bus.nudge(domain, 'queued', own);
    } catch {
      // The bus is away.
    }
  }
}
