/**
 * By what a server of ours proves that it speaks for one of our domains (PROTOCOL §9): a key for this conversation, made of a
 * secret of the domain that never leaves the store's processes. Any of them makes and recomputes the same one.
 */
import { createHmac } from 'node:crypto';
import { fospError, normaliseDomain } from '@fosp/protocol';
import type { Domains } from './access.ts';
import type { Store } from './store/store.ts';

/** What two domains and a nonce are joined by, and none of them has. */
const SEPARATOR = '\n';

export interface Signed {
  /** Of ours. */
  readonly from: string;
  readonly to: string;
  /** What `to` sent for this one time. */
  readonly nonce: string;
}

export class DomainKeys {
  readonly #store: Pick<Store, 'secret'>;
  readonly #domains: Domains;
  readonly #secrets = new Map<string, Promise<Uint8Array>>();

  constructor(store: Pick<Store, 'secret'>, domains: Domains) {
    this.#store = store;
    this.#domains = domains;
  }

  /** HMAC-SHA-256, base64url. Rejects with `wrong-server` or `malformed`. */
  async sign(signed: Signed): Promise<string> {
    const from = normaliseDomain(signed.from);
    const to = normaliseDomain(signed.to);
    if (!this.#domains.has(from)) {
      throw fospError('wrong-server', `This server does not serve the domain ${from}.`);
    }
    if (!/^[!-~]{1,256}$/.test(signed.nonce)) {
      throw fospError('malformed', 'nonce: must be 1 to 256 printable ASCII characters without spaces.');
    }
    const secret = await this.#secretOf(from);
    return createHmac('sha256', secret).update([from, to, signed.nonce].join(SEPARATOR)).digest('base64url');
  }

  #secretOf(domain: string): Promise<Uint8Array> {
    const known = this.#secrets.get(domain);
    if (known !== undefined) {
      return known;
    }
    const secret = this.#store.secret(`domain ${domain}`);
    this.#secrets.set(domain, secret);
    secret.catch(() => this.#secrets.delete(domain));
    return secret;
  }
}
