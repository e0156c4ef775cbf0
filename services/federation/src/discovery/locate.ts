/**
 * Which servers are a domain's, for dialling and for trust alike (PROTOCOL §9). In order: configured addresses; SRV records;
 * the addresses of the domain's own name, whose ports its well-known document says, or else are the usual ones. The first
 * step that has an answer decides. A lookup that fails decides too: nothing is found until it goes well.
 *
 * Invariant: every address in the result is one that may be dialled. Those that DNS says of an unconfigured domain are
 * checked; configured ones are the operator's word, also where DNS says what a configured name's are.
 */
import { plainAddress } from './address.ts';
import { isHostName } from './host-name.ts';
import type { AddressSet, NameSystem, ServiceRecord } from './name-system.ts';
import type { PeerAddress, Peers } from './peers.ts';
import { boundServices, type Ranked } from './service-order.ts';
import type { DiscoveryTelemetry } from './telemetry.ts';

export interface Host {
  /** What the addresses are of: a configured host, an SRV record's target, or the domain. */
  readonly host: string;
  /** In their plain spelling. */
  readonly addresses: readonly string[];
}

export interface LocatedServer extends Host, Ranked {
  readonly port: number;
  readonly secure: boolean;
  readonly path: string;
}

interface Found {
  /** How long DNS says it holds. */
  readonly seconds: number;
  /** Are these all? Not where some could not be looked up. */
  readonly complete: boolean;
}

export type Located =
  /** By configuration or SRV: servers with ports. */
  | (Found & { readonly kind: 'servers'; readonly servers: readonly LocatedServer[] })
  /** By its name alone. */
  | (Found & { readonly kind: 'host' } & Host)
  /** `withdrawn`: it says itself that it has no server. */
  | { readonly kind: 'absent'; readonly why: 'unknown' | 'withdrawn' | 'refused' | 'plain' }
  | { readonly kind: 'failed'; readonly cause: unknown };

export interface LocateDeps {
  readonly names: NameSystem;
  readonly peers: Peers;
  readonly permitted: (address: string) => boolean;
  /** May servers without TLS be dialled? */
  readonly plain: boolean;
  readonly telemetry: DiscoveryTelemetry;
  /** Servers of one domain, and addresses of one host; more are left out. */
  readonly limits: { readonly servers: number; readonly addresses: number };
}

const ANY: Ranked = { priority: 0, weight: 0 };

export async function locate(domain: string, deps: LocateDeps): Promise<Located> {
  try {
    const configured = deps.peers.get(domain);
    if (configured !== undefined) {
      return await locateConfigured(configured, deps);
    }
    if (!isHostName(domain)) {
      return { kind: 'absent', why: 'unknown' };
    }
    return (await locateByServices(domain, deps)) ?? (await locateByName(domain, deps));
  } catch (error) {
    return { kind: 'failed', cause: error };
  }
}

async function locateConfigured(configured: readonly PeerAddress[], deps: LocateDeps): Promise<Located> {
  // In the order of the configuration.
  const wanted = configured.map((peer, priority) => ({ ...ANY, ...peer, priority }));
  return resolveServers(wanted, (host) => addressesOf(host, deps));
}

/**
 * Records of servers without TLS are asked for, and decide, also where these may not be dialled: to go on to the addresses of
 * the domain's name would be to dial and believe hosts in place of those that it names.
 */
async function locateByServices(domain: string, deps: LocateDeps): Promise<Located | undefined> {
  const secure = await deps.names.services(`_fosp._wss._tcp.${domain}`);
  const isSecure = !secure.every(isWithdrawn);
  const plain = isSecure ? [] : await deps.names.services(`_fosp._ws._tcp.${domain}`);
  if (secure.length + plain.length === 0) {
    return undefined;
  }
  const records = (isSecure ? secure : plain).filter((record) => !isWithdrawn(record));
  if (records.length === 0) {
    return { kind: 'absent', why: 'withdrawn' };
  }
  if (!isSecure && !deps.plain) {
    return { kind: 'absent', why: 'plain' };
  }
  const wanted = boundServices(records, deps.limits.servers).map(({ target, ...record }) => ({
    ...record,
    host: target,
    secure: isSecure,
    path: '/',
  }));
  return resolveServers(wanted, (host) => checkedAddressesOf(domain, host, deps));
}

async function locateByName(domain: string, deps: LocateDeps): Promise<Located> {
  const { addresses, seconds, failure, refused } = await checkedAddressesOf(domain, domain, deps);
  return addresses.length === 0
    ? nothingFound({ refused, failure })
    : { kind: 'host', host: domain, addresses, seconds, complete: failure === undefined };
}

/** RFC 2782: a target of "." says that the service is decidedly not here. Nobody listens on port 0. */
function isWithdrawn({ target, port }: ServiceRecord): boolean {
  return target === '' || port === 0;
}

interface CheckedAddresses extends AddressSet {
  /** Were some left out, as they may not be dialled? */
  readonly refused: boolean;
}

type Wanted = Omit<LocatedServer, 'addresses'>;

/** Each host is looked up once, all at the same time; one that fails keeps the others from nothing. */
async function resolveServers(
  wanted: readonly Wanted[],
  look: (host: string) => Promise<CheckedAddresses>,
): Promise<Located> {
  const hosts = [...new Set(wanted.map(({ host }) => host))];
  const found = new Map(
    await Promise.all(hosts.map(async (host) => [host, await look(host).catch(failedSet)] as const)),
  );
  const sets = [...found.values()];
  const servers = wanted
    .map((server) => ({ ...server, addresses: found.get(server.host)?.addresses ?? [] }))
    .filter(({ addresses }) => addresses.length > 0);
  const failure = sets.find((set) => set.failure !== undefined)?.failure;
  if (servers.length === 0) {
    return nothingFound({ refused: sets.some(({ refused }) => refused), failure });
  }
  const seconds = Math.min(...sets.map((set) => set.seconds));
  return { kind: 'servers', servers, seconds, complete: failure === undefined };
}

function failedSet(failure: unknown): CheckedAddresses {
  return { addresses: [], seconds: Number.POSITIVE_INFINITY, refused: false, failure };
}

function nothingFound({ refused, failure }: { readonly refused: boolean; readonly failure: unknown }): Located {
  return failure === undefined
    ? { kind: 'absent', why: refused ? 'refused' : 'unknown' }
    : { kind: 'failed', cause: failure };
}

async function addressesOf(host: string, { names, limits }: LocateDeps): Promise<CheckedAddresses> {
  const plain = plainAddress(host);
  if (plain !== undefined) {
    return { addresses: [plain], seconds: Number.POSITIVE_INFINITY, refused: false };
  }
  const set = await names.addresses(host);
  return { ...set, addresses: bounded(set.addresses, limits.addresses), refused: false };
}

async function checkedAddressesOf(domain: string, host: string, deps: LocateDeps): Promise<CheckedAddresses> {
  if (!isHostName(host)) {
    return { addresses: [], seconds: Number.POSITIVE_INFINITY, refused: true };
  }
  const set = await addressesOf(host, deps);
  const addresses = set.addresses.filter(deps.permitted);
  const refused = set.addresses.filter((address) => !deps.permitted(address));
  if (refused.length > 0) {
    deps.telemetry.refusedAddresses(domain, host, refused);
  }
  return { ...set, addresses, refused: refused.length > 0 };
}

/** Sorted first, so that each lookup leaves out the same. */
function bounded(addresses: readonly string[], most: number): string[] {
  const plain = addresses.map(plainAddress).filter((address) => address !== undefined);
  return plain.length > most ? plain.toSorted().slice(0, most) : plain;
}
