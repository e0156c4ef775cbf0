/**
 * Which servers stand for another domain: where to dial them, and whether an address is one of theirs (PROTOCOL §9).
 *
 * Invariants: dialling and trust rest on the same lookup, made once and kept for as long as its addresses hold, within
 * bounds. SRV records count as kept for `cacheSeconds`, since Node does not tell their time; so does "there are none". A
 * lookup that failed is a failure for both, never a reason to look elsewhere. What clients are told names no address.
 */
import { type FospError, fospError, normaliseDomain } from '@fosp/protocol';
import { addressRule, plainAddress } from './address.ts';
import { type LocateDeps, type Located, locate } from './locate.ts';
import { type Kept, LookupCache } from './lookup-cache.ts';
import { NameSystem } from './name-system.ts';
import { DISCOVERY_DEFAULTS, type DiscoveryOptions, type DiscoverySettings } from './options.ts';
import { isFixed } from './peers.ts';
import { type Place, placesOfHost, placesOfServers } from './places.ts';
import type { DiscoveryTelemetry } from './telemetry.ts';
import { fetchWellKnown, type WellKnown } from './well-known.ts';

export interface DiscoveryDeps {
  readonly settings: DiscoverySettings;
  readonly telemetry: DiscoveryTelemetry;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** From 0 up to but not including 1. */
  readonly random: () => number;
  readonly options?: Partial<DiscoveryOptions>;
}

/** Of the time for one domain, what one DNS server may take for one answer. Each is asked twice, if need be. */
const SHARE_OF_ONE_ANSWER = 1 / 4;

export class Discovery {
  readonly #deps: DiscoveryDeps;
  readonly #limits: DiscoveryOptions;
  readonly #own: ReadonlySet<string>;
  readonly #names: NameSystem;
  readonly #locating: LocateDeps;
  readonly #located: LookupCache<Located>;
  readonly #documents: LookupCache<WellKnown>;

  constructor(deps: DiscoveryDeps) {
    const { settings, telemetry, clock } = deps;
    const { peers, plain, privateNetworks, dnsServers, lookupSeconds } = settings;
    const limits = { ...DISCOVERY_DEFAULTS, ...deps.options };
    this.#deps = deps;
    this.#limits = limits;
    this.#own = new Set(settings.domains);
    this.#names = new NameSystem({ servers: dnsServers, patience: lookupSeconds * 1000 * SHARE_OF_ONE_ANSWER });
    this.#locating = { names: this.#names, peers, plain, permitted: addressRule(privateNetworks), telemetry, limits };
    this.#located = new LookupCache({
      capacity: limits.domainsKept,
      atOnce: limits.lookupsAtOnce,
      reserved: limits.lookupsReserved,
      waiting: limits.lookupsWaiting,
      isFound: ({ kind }) => kind === 'servers' || kind === 'host',
      clock,
    });
    this.#documents = new LookupCache({
      capacity: limits.domainsKept,
      atOnce: limits.documentsAtOnce,
      reserved: limits.documentsReserved,
      waiting: limits.documentsWaiting,
      isFound: (document) => document.kind === 'ports' || document.final,
      clock,
    });
  }

  /**
   * Where to dial the domain's servers, in order; at least one place. Servers of equal rank change places by chance.
   *
   * @throws FospError `unreachable` where there is none, or it could not be found out; `wrong-server` for our own domains;
   * `unavailable` where too many lookups wait
   */
  async find(given: string): Promise<readonly Place[]> {
    const domain = normaliseDomain(given);
    if (this.#own.has(domain)) {
      throw fospError('wrong-server', `${domain} is served here, not by another server.`);
    }
    const { random, settings } = this.#deps;
    const found = reachable(domain, await this.#locate(domain));
    if (found.kind === 'servers') {
      return placesOfServers(domain, found.servers, { random });
    }
    const document = await this.#documents.get(domain, () => this.#askForDocument(domain, found.addresses));
    const ports = document.kind === 'ports' ? document.ports : undefined;
    return placesOfHost(domain, { ...found, ports }, { random, plain: settings.plain });
  }

  /**
   * Is this the address of one of the domain's servers? Never for our own domains; an address that is not public only
   * where its network is listed, for configured peers too.
   *
   * @throws FospError `unreachable` where it could not be found out, `unavailable` where too many lookups wait
   */
  async provesAddress(given: string, address: string): Promise<boolean> {
    const domain = normaliseDomain(given);
    const plain = plainAddress(address);
    if (plain === undefined || this.#own.has(domain) || !this.#locating.permitted(plain)) {
      return false;
    }
    const found = await this.#locate(domain);
    return found.kind === 'absent' ? false : isAmong(plain, reachable(domain, found), domain);
  }

  /** What is known of the domain proved wrong, or outdated: it is looked up anew the next time. */
  forget(given: string): void {
    const domain = normaliseDomain(given);
    this.#located.forget(domain);
    this.#documents.forget(domain);
  }

  /** Lookups that run fail. */
  close(): void {
    this.#names.close();
  }

  #locate(domain: string): Promise<Located> {
    // Nothing needs to be looked up for a fixed one, so it waits for nobody.
    return isFixed(this.#deps.settings.peers.get(domain))
      ? locate(domain, this.#locating)
      : this.#located.get(domain, () => this.#lookUp(domain));
  }

  async #lookUp(domain: string): Promise<Kept<Located>> {
    const { settings, telemetry } = this.#deps;
    const value = await inTime(locate(domain, this.#locating), settings.lookupSeconds);
    telemetry.looked(domain, value);
    return { value, seconds: lifetimeOf(value, { ...this.#limits, most: settings.cacheSeconds }) };
  }

  async #askForDocument(domain: string, addresses: readonly string[]): Promise<Kept<WellKnown>> {
    const { httpsPort: port, documentSeconds: seconds, documentBytes: bytes, absentSeconds } = this.#limits;
    const { secureContext, cacheSeconds } = this.#deps.settings;
    const value = await fetchWellKnown(domain, { addresses, port, seconds, bytes, secureContext });
    this.#deps.telemetry.askedWellKnown(domain, value);
    return {
      value,
      seconds: value.kind === 'ports' || value.final ? cacheSeconds : Math.min(cacheSeconds, absentSeconds),
    };
  }
}

/** The cause of an `unreachable` where nothing failed: there is no server. Its text is for operators alone. */
export class NoServer extends Error {
  override readonly name = 'NoServer';
}

const ABSENCE: Readonly<Record<Extract<Located, { readonly kind: 'absent' }>['why'], string>> = {
  unknown: 'DNS knows no address of it.',
  withdrawn: 'Its SRV records say so.',
  refused: 'Its addresses are not public, nor in FOSP_FEDERATION_PRIVATE.',
  plain: 'Its SRV records name servers without TLS alone, which FOSP_FEDERATION_PLAIN does not allow.',
};

type Reachable = Extract<Located, { readonly kind: 'servers' | 'host' }>;

function reachable(domain: string, located: Located): Reachable {
  switch (located.kind) {
    case 'servers':
    case 'host':
      return located;
    case 'absent':
      // Not more exactly: names within the operator's own network would tell whether they exist.
      throw unreachable(
        domain,
        located.why === 'withdrawn' ? 'it says that it has no server' : 'no server of it was found',
        new NoServer(ABSENCE[located.why]),
      );
    case 'failed':
      throw lookupFailed(domain, located.cause);
  }
}

function isAmong(address: string, found: Reachable, domain: string): boolean {
  const hosts = found.kind === 'servers' ? found.servers : [found];
  if (hosts.some(({ addresses }) => addresses.includes(address))) {
    return true;
  }
  if (!found.complete) {
    throw lookupFailed(domain, undefined);
  }
  return false;
}

function unreachable(domain: string, why: string, cause?: unknown): FospError {
  return fospError('unreachable', `${domain} cannot be reached: ${why}.`, { cause });
}

function lookupFailed(domain: string, cause: unknown): FospError {
  return unreachable(domain, 'looking up its servers failed', cause);
}

interface Lifetimes extends Pick<DiscoveryOptions, 'leastSeconds' | 'absentSeconds' | 'failedSeconds'> {
  readonly most: number;
}

function lifetimeOf(located: Located, { leastSeconds, absentSeconds, failedSeconds, most }: Lifetimes): number {
  switch (located.kind) {
    case 'servers':
    case 'host':
      return located.complete ? Math.min(most, Math.max(leastSeconds, located.seconds)) : leastSeconds;
    case 'absent':
      return absentSeconds;
    case 'failed':
      return failedSeconds;
  }
}

/** What takes longer counts as failed; its queries end soon after by their own limits. */
async function inTime(locating: Promise<Located>, seconds: number): Promise<Located> {
  const { promise: late, resolve } = Promise.withResolvers<Located>();
  const cause = new Error(`Not found out within ${seconds} seconds`);
  const timer = setTimeout(() => resolve({ kind: 'failed', cause }), seconds * 1000);
  try {
    return await Promise.race([locating, late]);
  } finally {
    clearTimeout(timer);
  }
}
