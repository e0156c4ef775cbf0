/** The capabilities of the draft, and the tests that carry their ids. */
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

export interface Capability {
  /** Such as `F46`. */
  readonly id: string;
  /** In a few words of our own. */
  readonly title: string;
  /** Sections of the draft, and of PROTOCOL. */
  readonly draft: readonly string[];
  readonly protocol: readonly string[];
  /** Files that make it, from the repository's root. */
  readonly sources: readonly string[];
  /** Given where it is not whole yet: what it waits for, and what there is until then. */
  readonly later?: { readonly until: string; readonly today: string };
}

export interface CapabilityGroup {
  readonly name: string;
  readonly capabilities: readonly Capability[];
}

/** Titles of tests stand in test files and shared suites; those of cases and fixtures in data that tests run. */
const TESTS = ['{packages,services}/*/{test,suite,src/**/suite}/**/*.ts', 'packages/conformance/src/cases/**/*.ts'];
const FIXTURES = ['{packages,services}/*/fixtures/**/*.json'];

/**
 * Ids at the beginning of a string, as in `it('F5 F12 parses …')`, in the tables of `it.each`, in the names of fixtures, and
 * in what a conformance case says it covers. A string that begins like this is a title: nothing else does.
 */
const IDS = /(['"`])(F\d+(?: F\d+)*)(?=\1| )/g;

/** Files by the ids that they show, each once and in order. A fixture counts where a test names its file. */
export function testsById(root: string): ReadonlyMap<string, readonly string[]> {
  const read = (path: string) => readFileSync(`${root}${path}`, 'utf8');
  const tests = globSync(TESTS, { cwd: root }).map((path) => ({ path, text: read(path) }));
  const fixtures = globSync(FIXTURES, { cwd: root })
    .filter((path) => tests.some(({ text }) => text.includes(basename(path))))
    .map((path) => ({ path, text: read(path) }));
  const found = new Map<string, string[]>();
  for (const { path, text } of [...tests, ...fixtures].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    for (const id of idsIn(text)) {
      found.set(id, [...(found.get(id) ?? []), path]);
    }
  }
  return found;
}

function idsIn(text: string): Set<string> {
  return new Set([...text.matchAll(IDS)].flatMap((match) => match[2]?.split(' ') ?? []));
}
