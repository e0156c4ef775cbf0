/**
 * What may be asked of the endpoint, once each: whoever has the URL is who it was given to, since nobody can guess it.
 */
import { randomBytes } from 'node:crypto';
import { fospError } from '@fosp/protocol';

export interface GrantsOptions {
  /** Not asked for yet; one more is refused with 503. */
  readonly grants: number;
  /** For asking. */
  readonly grantSeconds: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

interface Granted<What> {
  readonly what: What;
  readonly until: number;
}

const TOKEN_BYTES = 32;

export class Grants<What> {
  readonly #options: GrantsOptions;
  /** The oldest first. */
  readonly #granted = new Map<string, Granted<What>>();

  constructor(options: GrantsOptions) {
    this.#options = options;
  }

  /** @returns a name for it that cannot be guessed @throws FospError `unavailable` */
  give(what: What): string {
    const { clock, grants, grantSeconds } = this.#options;
    this.#forgetOld(clock());
    if (this.#granted.size >= grants) {
      throw fospError('unavailable', 'Too many transfers are about to begin. Try again.', {
        headers: { 'Retry-After': '1' },
      });
    }
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    this.#granted.set(token, { what, until: clock() + grantSeconds * 1000 });
    return token;
  }

  /** What was given under this name, which is used up then. */
  take(token: string): What | undefined {
    const granted = this.#granted.get(token);
    this.#granted.delete(token);
    return granted !== undefined && granted.until > this.#options.clock() ? granted.what : undefined;
  }

  #forgetOld(now: number): void {
    for (const [token, { until }] of this.#granted) {
      if (until > now) {
        return;
      }
      this.#granted.delete(token);
    }
  }
}
