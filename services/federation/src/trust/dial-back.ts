/**
 * Asks the claimed domain's own servers, wherever they are found, whether a key is theirs (VERIFY of PROTOCOL §9): so a
 * provider's server may connect from any address.
 *
 * Bounded per domain and address: nobody may have us knock at a stranger's door again and again.
 */
import { KeyedRate, type Rate } from '@fosp/exchange';
import { isFospError } from '@fosp/protocol';
import { type Discovery, NoServer } from '../discovery/discovery.ts';
import type { Place } from '../discovery/places.ts';
import type { Dialler } from '../links/dialler.ts';
import { greet, LinkRefused } from '../links/greeting.ts';
import { LinkEar } from '../links/link-ear.ts';
import type { Claim, Verdict } from './claim.ts';

export interface DialBackLimits {
  readonly greetingSeconds: number;
  readonly verifySeconds: number;
  /** Servers that are asked, where the first ones cannot be reached. */
  readonly verifyServers: number;
  /** For one domain and address. */
  readonly dialBackRate: Rate;
  /** Domains and addresses whose rates are remembered. */
  readonly dialBacksRemembered: number;
}

export interface DialBackDeps {
  readonly discovery: Pick<Discovery, 'find'>;
  readonly dialler: Dialler;
  readonly limits: DialBackLimits;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly failed: (domain: string, error: unknown) => void;
}

export class DialBack {
  readonly #deps: DialBackDeps;
  readonly #rate: KeyedRate;

  constructor(deps: DialBackDeps) {
    this.#deps = deps;
    this.#rate = new KeyedRate(deps.limits.dialBackRate, deps.limits.dialBacksRemembered);
  }

  async judge(claim: Claim, signal: AbortSignal): Promise<Verdict> {
    const { clock, discovery, failed, limits } = this.#deps;
    const { domain, address } = claim;
    if (!this.#rate.take(`${domain} ${address}`, 1, clock())) {
      return { kind: 'unknown', why: `${domain} was asked too often for this address` };
    }
    let places: readonly Place[];
    try {
      places = await discovery.find(domain);
    } catch (error) {
      if (isFospError(error) && error.cause instanceof NoServer) {
        return { kind: 'refused', why: `${domain} has no server that could be asked` };
      }
      failed(domain, error);
      return { kind: 'unknown', why: `no server of ${domain} could be found to ask` };
    }
    for (const place of places.slice(0, limits.verifyServers)) {
      try {
        return await this.#ask(place, claim, signal);
      } catch (error) {
        failed(domain, error);
      }
    }
    return { kind: 'unknown', why: `no server of ${domain} could be asked` };
  }

  /** Rejects where there is no telling. */
  async #ask(place: Place, claim: Claim, signal: AbortSignal): Promise<Verdict> {
    const { dialler, limits } = this.#deps;
    const { domain: from, to, nonce, key } = claim;
    const peer = await dialler.dial(place, { handler: new LinkEar(), signal });
    const abandon = () => peer.close(1001, '');
    signal.addEventListener('abort', abandon, { once: true });
    try {
      await greet(peer, { domain: from, trace: false, seconds: limits.greetingSeconds });
      const body = JSON.stringify({ from, to, nonce, key });
      const { head } = await peer.request('VERIFY', undefined, { body, timeoutMs: limits.verifySeconds * 1000 });
      if (head.type === 'SUCCEEDED' && head.status >= 200 && head.status < 300) {
        return { kind: 'proven' };
      }
      if (head.status >= 500 || head.status === 429 || head.status === 408) {
        throw new LinkRefused(`VERIFY was answered ${head.status}`);
      }
      return { kind: 'refused', why: `${from} says that the key is not its own` };
    } finally {
      signal.removeEventListener('abort', abandon);
      peer.close(1000, '');
    }
  }
}
