/**
 * Which other domain's server is at the other end (SPEC §6.4, PROTOCOL §9): AUTHENTICATE `{"type":"server"}`, and VERIFY, by
 * which other domains ask whether a server that claims to be ours is. The federation service judges both.
 *
 * Invariants: a nonce serves one claim, for a while; nobody is asked anything about a claim before the address that it comes
 * from was held to its rate; an address of a load balancer's own proves nothing.
 */
import { randomBytes, type X509Certificate } from 'node:crypto';
import { type Bus, FEDERATION } from '@fosp/bus';
import { KeyedRate, type Rate } from '@fosp/exchange';
import { fospError, normaliseDomain } from '@fosp/protocol';
import { addressBlock } from '@fosp/runtime';
import type { GatewayConfig } from './config.ts';
import { type Members, parseMembers, stringMember } from './json-body.ts';
import type { Linked, ServerLinks } from './server-links.ts';
import type { GatewayTelemetry } from './telemetry.ts';

export interface ServerLoginOptions {
  readonly bus: Bus;
  readonly config: GatewayConfig;
  readonly links: ServerLinks;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly telemetry: Pick<GatewayTelemetry, 'claimed'>;
}

/** What a server may prove itself by once. */
export interface Nonce {
  readonly value: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** The connection that says whose it is. */
export interface Claimant extends Linked {
  /** Ours that CONNECT named. */
  readonly domain: string;
  /** That the other end showed and this one believes. */
  readonly certificate: X509Certificate | undefined;
}

const NONCE_BYTES = 16;
/** Of nonces and keys, which cross the bus as headers. */
const TOKEN = /^[\x21-\x7e]{1,256}$/;

export class ServerLogin {
  readonly #options: ServerLoginOptions;
  readonly #claims: KeyedRate;
  readonly #verifications: KeyedRate;

  constructor(options: ServerLoginOptions) {
    const { claimRate, verifyRate, addressesRemembered } = options.config.limits;
    this.#options = options;
    this.#claims = new KeyedRate(claimRate, addressesRemembered);
    this.#verifications = new KeyedRate(verifyRate, addressesRemembered);
  }

  /** Undefined where no server may come. */
  newNonce(): Nonce | undefined {
    const { clock, config } = this.#options;
    return config.federation
      ? { value: randomBytes(NONCE_BYTES).toString('base64url'), until: clock() + config.limits.nonceSeconds * 1000 }
      : undefined;
  }

  /**
   * Judges a claim: the domain that it proved, of which the claimant is a link from now on.
   *
   * @throws FospError `malformed`, `forbidden`, `too-many`, and whatever keeps it from being judged
   */
  async admit(claimant: Claimant, members: Members, nonce: Nonce | undefined): Promise<string> {
    const { bus, config, links, telemetry } = this.#options;
    const { address, domain: to } = claimant;
    let claimed: string | undefined;
    try {
      if (!config.federation) {
        throw fospError('forbidden', 'This server does not talk to servers of other domains.');
      }
      this.#checkRate(this.#claims, address, config.limits.claimRate);
      const domain = normaliseDomain(stringMember(members, 'domain'));
      claimed = domain;
      if (config.domains.includes(domain)) {
        throw fospError('forbidden', `This server is itself one of ${domain}.`);
      }
      const proofs = { ...this.#proofOfKey(members, nonce), ...proofOfCertificate(claimant, domain) };
      const from = config.proxies?.has(address) === true ? '' : address;
      await links.join(domain, claimant, async () => {
        await bus.call(FEDERATION.admit, { domain, to, address: from, ...proofs });
      });
      telemetry.claimed({ domain, address });
      return domain;
    } catch (error) {
      telemetry.claimed({ domain: claimed, address, error });
      throw error;
    }
  }

  /** Judges the body of VERIFY. @throws FospError `forbidden` where the key is none of ours, `malformed`, `too-many` */
  async verify(address: string, body: Uint8Array): Promise<void> {
    const { bus, config } = this.#options;
    if (!config.federation) {
      throw fospError('forbidden', 'This server does not talk to servers of other domains.');
    }
    this.#checkRate(this.#verifications, address, config.limits.verifyRate);
    const members = parseMembers(body);
    const from = normaliseDomain(stringMember(members, 'from'));
    const to = normaliseDomain(stringMember(members, 'to'));
    await bus.call(FEDERATION.verify, { from, to, nonce: token(members, 'nonce'), key: token(members, 'key') });
  }

  #checkRate(rate: KeyedRate, address: string, { perSecond }: Rate): void {
    if (!rate.take(addressBlock(address), 1, this.#options.clock())) {
      const seconds = String(Math.max(1, Math.ceil(1 / perSecond)));
      throw fospError('too-many', `Too many servers ask from this address. Try again in ${seconds} s.`, {
        headers: { 'Retry-After': seconds },
      });
    }
  }

  /** A nonce that is used up, or too old, proves nothing, whatever the key is. */
  #proofOfKey(members: Members, nonce: Nonce | undefined): { readonly key?: string; readonly nonce?: string } {
    if (members['key'] === undefined) {
      return {};
    }
    const key = token(members, 'key');
    return nonce === undefined || nonce.until < this.#options.clock() ? {} : { key, nonce: nonce.value };
  }
}

function proofOfCertificate({ certificate }: Claimant, domain: string): { readonly certificate?: string } {
  const isProven = certificate?.checkHost(domain, { subject: 'never', wildcards: false }) !== undefined;
  return isProven ? { certificate: domain } : {};
}

function token(members: Members, name: string): string {
  const value = stringMember(members, name);
  if (!TOKEN.test(value)) {
    throw fospError('malformed', `"${name}" must be 1 to 256 visible ASCII characters.`);
  }
  return value;
}
