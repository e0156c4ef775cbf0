import { describe } from 'vitest';
import { callTests } from './calls.ts';
import { durableTests } from './durable.ts';
import type { MakeEnds } from './ends.ts';
import { brokenFollowingTests, followingTests } from './following.ts';
import { brokenLeaseTests, leaseTests } from './leases.ts';
import { lifecycleTests, linkTests } from './lifecycle.ts';
import { publicationTests } from './publications.ts';
import { remoteTests } from './remote.ts';

export interface SuiteOptions {
  /** The ends have `breakLink`. */
  readonly linkBreaks?: boolean;
}

/** Holds a transport to everything that `Transport` promises. Assumes no delivery within the same turn. */
export function transportSuite(name: string, makeEnds: MakeEnds, { linkBreaks = false }: SuiteOptions = {}): void {
  describe(`transport ${name}`, () => {
    describe('calls', () => callTests(makeEnds));
    describe('publications', () => publicationTests(makeEnds));
    describe('durable streams', () => durableTests(makeEnds));
    describe('followed subjects', () => followingTests(makeEnds));
    describe('leases', () => leaseTests(makeEnds));
    describe('other domains', () => remoteTests(makeEnds));
    describe('lifecycle', () => lifecycleTests(makeEnds));
    if (linkBreaks) {
      describe('links', () => {
        linkTests(makeEnds);
        brokenFollowingTests(makeEnds);
        brokenLeaseTests(makeEnds);
      });
    }
  });
}
