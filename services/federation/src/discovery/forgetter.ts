/** Has a domain looked up anew that cannot be reached, though not more often than makes sense. */
import { KeyedRate } from '@fosp/exchange';
import type { Discovery } from './discovery.ts';

export interface ForgetterOptions {
  readonly forgetSeconds: number;
  /** Domains whose last time is remembered. */
  readonly domainsRemembered: number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

export function forgetter(
  discovery: Pick<Discovery, 'forget'>,
  { forgetSeconds, domainsRemembered, clock }: ForgetterOptions,
): (domain: string) => void {
  const rate = new KeyedRate({ perSecond: 1 / forgetSeconds, burst: 1 }, domainsRemembered);
  return (domain) => {
    if (rate.take(domain, 1, clock())) {
      discovery.forget(domain);
    }
  };
}
