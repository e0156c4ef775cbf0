/**
 * The language-neutral cases under `fixtures`, each as something to run. They need no test framework, so that mutants can
 * be held to them in a process of their own.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ALL_RIGHTS, isFospError, type RightsMask, rightNames } from '../../src/index.ts';

export interface TableCase {
  readonly name: string;
  /** @throws where the case does not hold */
  run(): void;
}

export interface Table {
  readonly name: string;
  readonly cases: readonly TableCase[];
}

/** What a case that must fail says of its error: the status, and what its message must name. */
export interface ExpectedError {
  readonly status: number;
  readonly names: string;
}

/** The cases in one list of a fixture; their shape is described in `fixtures/README.md`. */
export function tableOf<Case extends { readonly name: string }>(
  file: string,
  check: (entry: Case) => void,
  list = 'cases',
): Table {
  const fixture: Record<string, Case[]> = JSON.parse(
    readFileSync(new URL(`../../fixtures/${file}`, import.meta.url), 'utf8'),
  );
  const cases = fixture[list] ?? [];
  assert.ok(cases.length > 0, `${file} has no ${list}`);
  return { name: `${file}, ${list}`, cases: cases.map((entry) => ({ name: entry.name, run: () => check(entry) })) };
}

/** Runs what must fail with a FOSP error. */
export function assertFails(run: () => unknown, expected: ExpectedError): void {
  assert.throws(run, (error: unknown) => {
    assert.ok(isFospError(error), `no FospError: ${error}`);
    assert.equal(error.status, expected.status, error.message);
    assert.ok(error.message.includes(expected.names), `"${error.message}" does not name ${expected.names}`);
    return true;
  });
}

const BITS = new Map(rightNames(ALL_RIGHTS).map((name, index) => [name, 1 << index]));

/** A set of rights from canonical names. */
export function maskOf(names: readonly string[]): RightsMask {
  return names.reduce((mask, name) => mask | (BITS.get(name) ?? Number.NaN), 0);
}
