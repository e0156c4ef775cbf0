/**
 * Calls of whoever holds the links to a domain: one federation pod at a time, found by asking at the domain. Where nobody
 * does, one is asked to, and then the call is made again, until its deadline: nothing was done so far.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Bus, type CallContext, type CallType, FEDERATION, type Reply } from '@fosp/bus';
import { fospError } from '@fosp/protocol';
import { detached } from '@fosp/runtime';

export interface DomainCallsOptions {
  readonly bus: Bus;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Milliseconds, where somebody took the links and is not there yet: at first, doubled each time, and at most. */
  readonly firstPause: number;
  readonly longestPause: number;
}

/** For which request something is asked, and with which bytes of it. */
export interface AskedFor {
  readonly body?: Uint8Array;
  readonly context?: Pick<CallContext, 'requestId'>;
}

/** What nobody was there for. */
interface Unanswered<Q> extends AskedFor {
  readonly domain: string;
  readonly fields: Q;
}

export class DomainCalls {
  readonly #options: DomainCallsOptions;
  /** By domain: many requests for one that nobody holds need it taken once. */
  readonly #adoptions = new Map<string, Promise<unknown>>();

  constructor(options: DomainCallsOptions) {
    this.#options = options;
  }

  ask<Q, R>(type: CallType<Q, R>, domain: string, fields: Q, asked: AskedFor = {}): Promise<Reply<R>> {
    const answered = this.#options.bus.askAt(type, domain, fields, asked.body, asked.context);
    return answered.then((reply) => reply ?? this.#adoptAndAsk(type, { ...asked, domain, fields }));
  }

  async #adoptAndAsk<Q, R>(type: CallType<Q, R>, { domain, fields, body, ...asked }: Unanswered<Q>): Promise<Reply<R>> {
    const { bus, clock, firstPause, longestPause } = this.#options;
    const deadline = clock() + type.timeout;
    const context = { ...(asked.context && { requestId: asked.context.requestId }), deadline };
    for (let wait = 0; clock() + wait < deadline; wait = Math.min(longestPause, wait === 0 ? firstPause : 2 * wait)) {
      if (wait > 0) {
        await pause(wait);
        const meanwhile = await bus.askAt(type, domain, fields, body, context);
        if (meanwhile !== undefined) {
          return meanwhile;
        }
      }
      await this.#adopt(domain);
      const reply = await bus.askAt(type, domain, fields, body, context);
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
    // For all who wait for it: it is part of nobody's request.
    const adoption = detached(() => this.#options.bus.call(FEDERATION.adopt, { domain }));
    this.#adoptions.set(domain, adoption);
    try {
      await adoption;
    } finally {
      this.#adoptions.delete(domain);
    }
  }
}

const RETRY = { 'Retry-After': '1' };
