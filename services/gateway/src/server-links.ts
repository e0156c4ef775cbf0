/**
 * The links of other domains' servers that end in this process, by domain.
 *
 * Invariants: while there are any of a domain, or one is being decided on, this process listens for that domain's
 * revocation, which closes all of them; one that was decided on before it is refused. Their number is bounded per domain
 * and per address.
 */
import { type Bus, type BusSubscription, linksOf } from '@fosp/bus';
import { fospError } from '@fosp/protocol';
import { addressBlock } from '@fosp/runtime';

export interface Linked {
  readonly address: string;
  revoke(): void;
  close(code: number, reason: string): void;
}

export interface ServerLinksOptions {
  readonly bus: Bus;
  readonly limits: { readonly linksPerDomain: number; readonly linksPerAddress: number };
}

interface Domain {
  readonly links: Set<Linked>;
  /** Those that are being decided on. */
  deciding: number;
  /** How often it was revoked. */
  revoked: number;
  subscription: Promise<BusSubscription> | undefined;
}

const RETRY = { 'Retry-After': '5' };

export class ServerLinks {
  readonly #options: ServerLinksOptions;
  readonly #domains = new Map<string, Domain>();
  readonly #addresses = new Map<string, number>();
  #size = 0;

  constructor(options: ServerLinksOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  /** Tells whoever talks to other domains which of them are linked here, so that links which are not permitted any more can end. */
  report(): void {
    for (const [domain, { links }] of this.#domains) {
      if (links.size > 0) {
        this.#options.bus.nudge(domain, 'heard');
      }
    }
  }

  /**
   * Has it decided whether this is a link of the domain; it is from when this resolves until `leave`.
   *
   * @throws FospError what `decide` throws, `too-many`, `forbidden`
   */
  async join(domain: string, link: Linked, decide: () => Promise<void>): Promise<void> {
    this.#checkAddress(link.address);
    const known = this.#domains.get(domain) ?? this.#listen(domain);
    known.deciding++;
    try {
      await this.#listening(known);
      const { revoked } = known;
      await decide();
      if (revoked !== known.revoked) {
        throw fospError('forbidden', `There is no federation with ${domain} here any more.`);
      }
      this.#checkAddress(link.address);
      if (known.links.size >= this.#options.limits.linksPerDomain) {
        throw fospError('too-many', `There are too many links of ${domain} here already.`, { headers: RETRY });
      }
      known.links.add(link);
      this.#count(link.address, 1);
    } finally {
      known.deciding--;
      this.#forgetIfUnused(domain, known);
    }
  }

  leave(domain: string, link: Linked): void {
    const known = this.#domains.get(domain);
    if (known?.links.delete(link)) {
      this.#count(link.address, -1);
      this.#forgetIfUnused(domain, known);
    }
  }

  closeAll(code: number, reason: string): void {
    for (const { links } of this.#domains.values()) {
      for (const link of links) {
        link.close(code, reason);
      }
    }
  }

  #listen(domain: string): Domain {
    const known: Domain = { links: new Set(), deciding: 0, revoked: 0, subscription: undefined };
    known.subscription = this.#options.bus.onUser(linksOf(domain), ({ event }) => {
      if (event === 'revoked') {
        known.revoked++;
        for (const link of known.links) {
          link.revoke();
        }
      }
    });
    this.#domains.set(domain, known);
    return known;
  }

  async #listening({ subscription }: Domain): Promise<void> {
    try {
      await subscription;
    } catch (cause) {
      throw fospError('unavailable', 'Links cannot be made now. Try again.', { headers: RETRY, cause });
    }
  }

  #forgetIfUnused(domain: string, known: Domain): void {
    if (known.deciding === 0 && known.links.size === 0) {
      this.#domains.delete(domain);
      // One that never came about needs no end; its failure was told to whoever waited for it.
      known.subscription?.then((subscription) => subscription.stop()).catch(() => {});
    }
  }

  #checkAddress(address: string): void {
    if ((this.#addresses.get(addressBlock(address)) ?? 0) >= this.#options.limits.linksPerAddress) {
      throw fospError('too-many', 'There are too many links from this address already.', { headers: RETRY });
    }
  }

  #count(address: string, more: 1 | -1): void {
    this.#size += more;
    const block = addressBlock(address);
    const count = (this.#addresses.get(block) ?? 0) + more;
    if (count === 0) {
      this.#addresses.delete(block);
    } else {
      this.#addresses.set(block, count);
    }
  }
}
