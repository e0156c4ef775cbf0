import { describe } from 'vitest';
import { callTests } from './calls.ts';
import { durableTests } from './durable.ts';
import type { MakeEnds } from './ends.ts';
import { lifecycleTests, linkTests } from './lifecycle.ts';
import { publicationTests } from './publications.ts';

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
    describe('lifecycle', () => lifecycleTests(makeEnds));
    if (linkBreaks) {
      describe('links', () => linkTests(makeEnds));
    }
  });
}
