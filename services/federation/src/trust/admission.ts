/**
 * Decides whether a server that connected to one of our gateways speaks for the domain that it claims (SPEC §6.4, PROTOCOL
 * §9): its address is one of the domain's servers', or it showed a certificate for the domain, or the domain's servers vouch
 * for its key. Any of them suffices; the cheapest is tried first.
 *
 * Invariants: nobody is believed to be one of our own; what cannot be found out now is never a proof, and is told apart from
 * a proof that failed; claims take their turns per domain, so that a flood of claims for one domain keeps no other waiting, and
 * one address, or all who were never believed, cannot take the places of everybody else by claims of many domains.
 */

import { KeyedRate, type Rate, Slots } from '@fosp/exchange';
import { fospError, isFospError, normaliseDomain } from '@fosp/protocol';
import { addressBlock } from '@fosp/runtime';
import type { Discovery } from '../discovery/discovery.ts';
import { KnownDomains } from '../known-domains.ts';
import { notFederated } from '../policy/policy.ts';
import type { Claim, Verdict } from './claim.ts';
import type { DialBack } from './dial-back.ts';
import type { TrustTelemetry } from './telemetry.ts';

export interface AdmissionLimits {
  /** Claims that are judged at once, and of one domain; one more is refused with 503. */
  readonly claims: number;
  readonly claimsPerDomain: number;
  /** Of those, from one address; an IPv6 one counts as its /64. */
  readonly claimsPerAddress: number;
  /** Of those, of domains that were not believed lately. */
  readonly claimsOfStrangers: number;
  /** Domains that were. */
  readonly domainsBelieved: number;
  /** Of those, by dial-back, for one domain; others wait. */
  readonly dialBacksPerDomain: number;
  /** For the judgement of one claim. */
  readonly claimSeconds: number;
  /** How often a domain whose known servers do not have the address is looked up anew. */
  readonly freshLookups: Rate;
  readonly freshLookupsRemembered: number;
}

export interface AdmissionDeps {
  readonly discovery: Pick<Discovery, 'provesAddress' | 'forget'>;
  readonly dialBack: DialBack;
  readonly permits: (domain: string) => boolean;
  /** Ours, normalised. */
  readonly domains: readonly string[];
  readonly limits: AdmissionLimits;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly telemetry: TrustTelemetry;
}

interface Claims {
  running: number;
  readonly dialBacks: Slots;
}

const BUSY = { headers: { 'Retry-After': '5' } };

export class Admission {
  readonly #deps: AdmissionDeps;
  readonly #claims = new Map<string, Claims>();
  readonly #perAddress = new Map<string, number>();
  readonly #believed: KnownDomains;
  readonly #freshLookups: KeyedRate;
  #running = 0;

  constructor(deps: AdmissionDeps) {
    this.#deps = deps;
    this.#believed = new KnownDomains(deps.limits.domainsBelieved);
    this.#freshLookups = new KeyedRate(deps.limits.freshLookups, deps.limits.freshLookupsRemembered);
  }

  /**
   * Resolves, with the domain, where the claim is believed.
   *
   * @throws FospError `forbidden` where it is not, `unreachable` where it could not be found out, `unavailable` where too many
   * claims are judged already
   */
  async admit(given: Claim): Promise<string> {
    const { domains, permits, telemetry } = this.#deps;
    const claim = { ...given, domain: normaliseDomain(given.domain), to: normaliseDomain(given.to) };
    const { domain, to } = claim;
    if (domains.includes(domain)) {
      throw fospError('forbidden', `${domain} is served here: no other server speaks for it.`);
    }
    if (!domains.includes(to)) {
      throw fospError('wrong-server', `This server does not serve the domain ${to}.`);
    }
    if (!permits(domain)) {
      telemetry.refused(claim, 'policy');
      throw notFederated(domain);
    }
    const verdicts = await this.#inTurn(claim, (dialBacks) => this.#judge(claim, dialBacks));
    if (verdicts.some(({ kind }) => kind === 'proven')) {
      telemetry.admitted(claim);
      this.#believed.add(domain);
      return domain;
    }
    const reasons = verdicts.flatMap((verdict) => (verdict.kind === 'proven' ? [] : [verdict.why]));
    const isUnknown = verdicts.some(({ kind }) => kind === 'unknown');
    telemetry.refused(claim, isUnknown ? 'unknown' : 'not-proven', reasons);
    const text = `Whether this is a server of ${domain} ${isUnknown ? 'could not be found out' : 'is not proven'}: ${reasons.join('; ')}.`;
    throw fospError(isUnknown ? 'unreachable' : 'forbidden', text);
  }

  /** Verdicts up to the one that proves it. */
  async #judge(claim: Claim, dialBacks: Slots): Promise<Verdict[]> {
    const proofs = [
      () => this.#byAddress(claim),
      async () => byCertificate(claim),
      () => this.#byDialBack(claim, dialBacks),
    ];
    const verdicts: Verdict[] = [];
    for (const proof of proofs) {
      const verdict = await proof();
      verdicts.push(verdict);
      if (verdict.kind === 'proven') {
        break;
      }
    }
    return verdicts;
  }

  async #byAddress({ domain, address }: Claim): Promise<Verdict> {
    const { clock, discovery } = this.#deps;
    if (address === '') {
      return { kind: 'refused', why: 'it came through a load balancer, so that its address is not known' };
    }
    try {
      if (await discovery.provesAddress(domain, address)) {
        return { kind: 'proven' };
      }
      // What is known may be older than its newest server.
      if (this.#freshLookups.take(domain, 1, clock())) {
        discovery.forget(domain);
        if (await discovery.provesAddress(domain, address)) {
          return { kind: 'proven' };
        }
      }
    } catch (error) {
      if (isFospError(error)) {
        return { kind: 'unknown', why: `the addresses of ${domain} could not be looked up` };
      }
      throw error;
    }
    return { kind: 'refused', why: `its address ${address} proves nothing, as it is none of ${domain} or not public` };
  }

  async #byDialBack(claim: Claim, dialBacks: Slots): Promise<Verdict> {
    const { dialBack, limits } = this.#deps;
    if (claim.key === undefined || claim.nonce === undefined) {
      return { kind: 'refused', why: 'it gave no key by which its domain could be asked' };
    }
    const signal = AbortSignal.timeout(limits.claimSeconds * 1000);
    await dialBacks.enter();
    try {
      return signal.aborted
        ? { kind: 'unknown', why: 'its domain is asked about too many others' }
        : await dialBack.judge(claim, signal);
    } finally {
      dialBacks.leave();
    }
  }

  async #inTurn<T>({ domain, address }: Claim, judge: (dialBacks: Slots) => Promise<T>): Promise<T> {
    const { dialBacksPerDomain } = this.#deps.limits;
    const claims = this.#claims.get(domain) ?? { running: 0, dialBacks: new Slots(dialBacksPerDomain) };
    const from = addressBlock(address);
    const ofAddress = this.#perAddress.get(from) ?? 0;
    if (this.#isTooMany({ domain, from, ofAddress, ofDomain: claims.running })) {
      throw fospError('unavailable', 'Too many servers want to be believed at once. Try again.', BUSY);
    }
    this.#claims.set(domain, claims);
    this.#perAddress.set(from, ofAddress + 1);
    claims.running++;
    this.#running++;
    try {
      return await judge(claims.dialBacks);
    } finally {
      this.#running--;
      claims.running--;
      if (claims.running === 0) {
        this.#claims.delete(domain);
      }
      this.#leave(from);
    }
  }

  #isTooMany({ domain, from, ofAddress, ofDomain }: Present): boolean {
    const { limits } = this.#deps;
    const most = this.#believed.has(domain) ? limits.claims : Math.min(limits.claims, limits.claimsOfStrangers);
    // Behind a load balancer that does not tell all come from nowhere.
    const isOneAddress = from !== '' && ofAddress >= limits.claimsPerAddress;
    return this.#running >= most || ofDomain >= limits.claimsPerDomain || isOneAddress;
  }

  #leave(from: string): void {
    const left = (this.#perAddress.get(from) ?? 0) - 1;
    if (left > 0) {
      this.#perAddress.set(from, left);
    } else {
      this.#perAddress.delete(from);
    }
  }
}

/** Claims that are judged when another one comes. */
interface Present {
  readonly domain: string;
  readonly from: string;
  readonly ofAddress: number;
  readonly ofDomain: number;
}

function byCertificate({ certified, domain }: Claim): Verdict {
  return certified.includes(domain)
    ? { kind: 'proven' }
    : { kind: 'refused', why: 'it showed no certificate for it that is believed' };
}
