/**
 * How often one may be wrong. Failures count per account, whether it exists or not, and per address; registrations per
 * address. An IPv6 address counts as its /64, since whoever has one has them all.
 */
import { type FospError, fospError } from '@fosp/protocol';
import { addressBlock } from '@fosp/runtime';
import type { Count, Counters } from '../counters/counters.ts';
import type { ObjectsLimits } from '../limits.ts';
import type { Telemetry } from '../telemetry.ts';

export type AttemptLimits = Pick<
  ObjectsLimits,
  'failuresPerAccount' | 'failuresPerAddress' | 'registrationsPerAddress'
>;

export class Attempts {
  readonly #counters: Counters;
  readonly #limits: AttemptLimits;
  readonly #telemetry: Pick<Telemetry, 'refused' | 'loginFailed'>;

  constructor(counters: Counters, limits: AttemptLimits, telemetry: Pick<Telemetry, 'refused' | 'loginFailed'>) {
    this.#counters = counters;
    this.#limits = limits;
    this.#telemetry = telemetry;
  }

  /**
   * Lets one more attempt pass. Called before a password is hashed, and again once it was found right: of many guesses that
   * came at once, those beyond the limit learn nothing.
   * @throws too-many where this account or address was wrong too often
   */
  async allow(user: string, address: string): Promise<void> {
    const ofAccount = await this.#counters.read(accountKey(user));
    const ofAddress = await this.#counters.read(addressKey(address));
    // This attempt would be one more.
    this.#refuseOver({ ofAccount, ofAddress, allowed: -1 }, address);
  }

  /** Counts a wrong password. @throws too-many where it is beyond the limit */
  async countFailure(user: string, address: string): Promise<void> {
    this.#telemetry.loginFailed(user, address);
    const ofAccount = await this.#counters.add(accountKey(user));
    const ofAddress = await this.#counters.add(addressKey(address));
    this.#refuseOver({ ofAccount, ofAddress, allowed: 0 }, address);
  }

  #refuseOver(
    counts: { readonly ofAccount: Count; readonly ofAddress: Count; readonly allowed: number },
    address: string,
  ): void {
    const { ofAccount, ofAddress, allowed } = counts;
    const over = [
      ...(ofAccount.count > this.#limits.failuresPerAccount + allowed ? [ofAccount] : []),
      ...(ofAddress.count > this.#limits.failuresPerAddress + allowed ? [ofAddress] : []),
    ];
    if (over.length > 0) {
      this.#telemetry.refused('login', address);
      throw tooMany('Too many wrong passwords', over);
    }
  }

  /** Counts a registration. @throws too-many */
  async countRegistration(address: string): Promise<void> {
    const count = await this.#counters.add(`registration ${addressBlock(address)}`);
    if (count.count > this.#limits.registrationsPerAddress) {
      this.#telemetry.refused('registration', address);
      throw tooMany('Too many registrations from this address', [count]);
    }
  }
}

function accountKey(user: string): string {
  return `account ${user}`;
}

function addressKey(address: string): string {
  return `address ${addressBlock(address)}`;
}

function tooMany(what: string, counts: readonly Count[]): FospError {
  const seconds = Math.max(1, ...counts.map(({ resetsIn }) => Math.ceil(resetsIn / 1000)));
  return fospError('too-many', `${what}. Try again in ${seconds} s.`, { headers: { 'Retry-After': String(seconds) } });
}
