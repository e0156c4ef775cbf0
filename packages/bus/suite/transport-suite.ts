import { describe } from 'vitest';
import { callTests } from './calls.ts';
import { durableTests } from './durable.ts';
import type { MakeEnds } from './ends.ts';
import { lifecycleTests } from './lifecycle.ts';
import { publicationTests } from './publications.ts';

/** Holds a transport to everything that `Transport` promises. Assumes no delivery within the same turn. */
export function transportSuite(name: string, makeEnds: MakeEnds): void {
  describe(`transport ${name}`, () => {
    describe('calls', () => callTests(makeEnds));
    describe('publications', () => publicationTests(makeEnds));
    describe('durable streams', () => durableTests(makeEnds));
    describe('lifecycle', () => lifecycleTests(makeEnds));
  });
}
