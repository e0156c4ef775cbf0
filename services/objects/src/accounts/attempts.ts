/**
 * How often one may be wrong. Failures count per account, whether it exists or not, and per address; registrations per
 * address. An IPv6 address counts as its /64, since whoever has one has them all.
 */
import { isIPv6 } from 'node:net';
import { type FospError, fospError } from '@fosp/protocol';
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

  /** @throws too-many where this account or address was wrong too often */
  async checkFailures(user: string, address: string): Promise<void> {
    const { failuresPerAccount, failuresPerAddress } = this.#limits;
    const ofAccount = await this.#counters.read(accountKey(user));
    const ofAddress = await this.#counters.read(addressKey(address));
    const over = [
      ...(ofAccount.count >= failuresPerAccount ? [ofAccount] : []),
      ...(ofAddress.count >= failuresPerAddress ? [ofAddress] : []),
    ];
    if (over.length > 0) {
      this.#telemetry.refused('login', address);
      throw tooMany('Too many wrong passwords', over);
    }
  }

  async countFailure(user: string, address: string): Promise<void> {
    await this.#counters.add(accountKey(user));
    await this.#counters.add(addressKey(address));
    this.#telemetry.loginFailed(user, address);
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

/** What counts as one address. */
export function addressBlock(address: string): string {
  if (!isIPv6(address)) {
    return address;
  }
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) {
    return mapped;
  }
  const [head = '', tail] = address.toLowerCase().split('::');
  const groups = head === '' ? [] : head.split(':');
  const zeros = tail === undefined ? 0 : 4;
  const block = [...groups, ...Array<string>(zeros).fill('0')].slice(0, 4);
  return `${block.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

function tooMany(what: string, counts: readonly Count[]): FospError {
  const seconds = Math.max(1, ...counts.map(({ resetsIn }) => Math.ceil(resetsIn / 1000)));
  return fospError('too-many', `${what}. Try again in ${seconds} s.`, { headers: { 'Retry-After': String(seconds) } });
}
