/**
 * Calls of whoever holds the links to a domain: one federation pod at a time, found by asking at the domain. Where nobody
 * does, one is asked to, and then the call is made again, until its deadline: nothing was done so far.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Bus, type CallType, FEDERATION, type Reply } from '@fosp/bus';
import { fospError } from '@fosp/protocol';

export interface DomainCallsOptions {
  readonly bus: Bus;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Milliseconds, where somebody took the links and is not there yet: at first, doubled each time, and at most. */
  readonly firstPause: number;
  readonly longestPause: number;
}

/** What nobody was there for. */
interface Unanswered<Q> {
  readonly domain: string;
  readonly fields: Q;
  readonly body: Uint8Array | undefined;
}

export class DomainCalls {
  readonly #options: DomainCallsOptions;
  /** By domain: many requests for one that nobody holds need it taken once. */
  readonly #adoptions = new Map<string, Promise<unknown>>();

  constructor(options: DomainCallsOptions) {
    this.#options = options;
  }

  ask<Q, R>(type: CallType<Q, R>, domain: string, fields: Q, body?: Uint8Array): Promise<Reply<R>> {
    const asked = this.#options.bus.askAt(type, domain, fields, body);
    return asked.then((reply) => reply ?? this.#adoptAndAsk(type, { domain, fields, body }));
  }

  async #adoptAndAsk<Q, R>(type: CallType<Q, R>, { domain, fields, body }: Unanswered<Q>): Promise<Reply<R>> {
    const { bus, clock, firstPause, longestPause } = this.#options;
    const deadline = clock() + type.timeout;
    for (let wait = 0; clock() + wait < deadline; wait = Math.min(longestPause, wait === 0 ? firstPause : 2 * wait)) {
      if (wait > 0) {
        await pause(wait);
        const meanwhile = await bus.askAt(type, domain, fields, body, { deadline });
        if (meanwhile !== undefined) {
          return meanwhile;
        }
      }
      await this.#adopt(domain);
      const reply = await bus.askAt(type, domain, fields, body, { deadline });
      if (reply !== undefined) {
        return reply;
      }
    }
    throw fospError('unavailable', `Nobody here talks to ${domain} now. Try again later.`, { headers: RETRY });
  }

  async #adopt(domain: string): Promise<void> {
    const running = this.#adoptions.get(domain);
    if (running !== undefined) {
      await running;
      return;
    }
    const adoption = this.#options.bus.call(FEDERATION.adopt, { domain });
    this.#adoptions.set(domain, adoption);
    try {
      await adoption;
    } finally {
      this.#adoptions.delete(domain);
    }
  }
}

const RETRY = { 'Retry-After': '1' };
