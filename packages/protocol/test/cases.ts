/** The language-neutral cases under `fixtures`, and rights by name. */
import { readFileSync } from 'node:fs';
import { ALL_RIGHTS, type RightsMask, rightNames } from '../src/index.ts';

/** The cases of a fixture; their shape is described in `fixtures/README.md`. */
export function casesOf<Case>(file: string, list = 'cases'): readonly Case[] {
  const fixture: Record<string, Case[]> = JSON.parse(
    readFileSync(new URL(`../fixtures/${file}`, import.meta.url), 'utf8'),
  );
  const cases = fixture[list] ?? [];
  if (cases.length === 0) {
    throw new Error(`${file} has no ${list}`);
  }
  return cases;
}

const BITS = new Map(rightNames(ALL_RIGHTS).map((name, index) => [name, 1 << index]));

/** A set of rights from canonical names. */
export function maskOf(names: readonly string[]): RightsMask {
  return names.reduce((mask, name) => mask | (BITS.get(name) ?? Number.NaN), 0);
}
