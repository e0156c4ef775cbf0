/**
 * What DNS says, by the resolvers of the configuration or of the system (`/etc/hosts` is not read: its names are for
 * `FOSP_FEDERATION_PEERS`).
 *
 * Invariant: "there is no such name" and "it has no such record" are answers, and empty; all else that is no answer
 * rejects. Node's own resolver stays with a server that answers SERVFAIL or REFUSED; here the next one is asked, and the one
 * that answered last is asked first.
 */
import { promises } from 'node:dns';

export interface NameSystemOptions {
  /** `127.0.0.1:5353`, `[::1]:53`; the system's where there are none. */
  readonly servers: readonly string[];
  /** Milliseconds for one answer of one server. */
  readonly patience: number;
}

/** Of a name, both families. */
export interface AddressSet {
  readonly addresses: readonly string[];
  /** How long they hold; nothing said where there are none. */
  readonly seconds: number;
  /** Why addresses may be missing: one family could not be looked up, the other has some. */
  readonly failure?: unknown;
}

export interface ServiceRecord {
  /** Lower-case; empty for "this service is not available here". */
  readonly target: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** How often each server is asked before the lookup fails. */
const ROUNDS = 2;

const NOTHING = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME']);

export class NameSystem {
  readonly #resolvers: readonly promises.Resolver[];
  #answeredLast = 0;
  #closed = false;

  constructor({ servers, patience }: NameSystemOptions) {
    const asked = servers.length > 0 ? servers : new promises.Resolver().getServers();
    this.#resolvers = asked.map((server) => {
      const resolver = new promises.Resolver({ timeout: patience, tries: 1 });
      resolver.setServers([server]);
      return resolver;
    });
  }

  /** Rejects where neither family could be looked up, or one could not and the other has none. */
  async addresses(name: string): Promise<AddressSet> {
    const [v6, v4] = await Promise.allSettled([
      this.#ask((resolver) => resolver.resolve6(name, { ttl: true })),
      this.#ask((resolver) => resolver.resolve4(name, { ttl: true })),
    ]);
    const records = [v6, v4].flatMap((settled) => (settled.status === 'fulfilled' ? settled.value : []));
    const failed = [v6, v4].find((settled) => settled.status === 'rejected');
    if (failed !== undefined && records.length === 0) {
      throw failed.reason;
    }
    return {
      addresses: records.map(({ address }) => address),
      seconds: Math.min(...records.map(({ ttl }) => ttl)),
      ...(failed === undefined ? {} : { failure: failed.reason }),
    };
  }

  /** SRV records, as they came. */
  async services(name: string): Promise<readonly ServiceRecord[]> {
    const records = await this.#ask((resolver) => resolver.resolveSrv(name));
    return records.map(({ name: target, port, priority, weight }) => ({
      target: target.toLowerCase().replace(/\.$/, ''),
      port,
      priority,
      weight,
    }));
  }

  /** What is being asked rejects. */
  close(): void {
    this.#closed = true;
    for (const resolver of this.#resolvers) {
      resolver.cancel();
    }
  }

  async #ask<Entry>(ask: (resolver: promises.Resolver) => Promise<Entry[]>): Promise<Entry[]> {
    const first = this.#answeredLast;
    let failure: unknown = new Error('There is no DNS server to ask');
    for (let round = 0; round < ROUNDS; round++) {
      for (const [distance, resolver] of rotated(this.#resolvers, first)) {
        try {
          const records = await ask(resolver).catch(nothingOrThrow);
          this.#answeredLast = (first + distance) % this.#resolvers.length;
          return records;
        } catch (error) {
          failure = error;
          if (this.#closed) {
            throw error;
          }
        }
      }
    }
    throw failure;
  }
}

function nothingOrThrow(error: unknown): [] {
  if (error instanceof Error && 'code' in error && NOTHING.has(String(error.code))) {
    return [];
  }
  throw error;
}

function rotated<Entry>(entries: readonly Entry[], first: number): IterableIterator<[number, Entry]> {
  return [...entries.slice(first), ...entries.slice(0, first)].entries();
}
