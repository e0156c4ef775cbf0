import { describe, expect, it } from 'vitest';
import {
  compileAcl,
  NO_GROUPS,
  normaliseAcl,
  parseGroups,
  RIGHTS,
  rightNames,
  rightsOf,
  rootAcl,
} from '../src/index.ts';
import { casesOf, maskOf } from './cases.ts';

interface RightsCase {
  readonly name: string;
  readonly owner: string;
  readonly levels: readonly unknown[];
  readonly groups?: unknown;
  readonly granted: Readonly<Record<string, readonly string[]>>;
}

const cases = casesOf<RightsCase>('rights.json');

function textOf(acl: unknown): string | undefined {
  return acl === null ? undefined : JSON.stringify(acl);
}

describe('rights', () => {
  it.each(cases)('$name', ({ owner, levels, groups, granted }) => {
    const compiled = levels.map((acl) => compileAcl(textOf(acl)));
    const members = parseGroups(JSON.stringify(groups));
    for (const [user, names] of Object.entries(granted)) {
      expect(rightNames(rightsOf(user, owner, compiled, members)), user).toEqual(names);
    }
  });

  it.each(cases)('as stored: $name', ({ owner, levels, groups, granted }) => {
    const stored = levels.map((acl) => compileAcl(acl === null ? undefined : normaliseAcl(JSON.stringify(acl))));
    const members = parseGroups(JSON.stringify(groups));
    for (const [user, names] of Object.entries(granted)) {
      expect(rightNames(rightsOf(user, owner, stored, members)), user).toEqual(names);
    }
  });

  it('F44 names the bits of the eleven rights', () => {
    expect(Object.values(RIGHTS)).toEqual(rightNames(2047).map((name) => maskOf([name])));
    expect(rightNames(RIGHTS.writeData | RIGHTS.deleteChildren)).toEqual(['write-data', 'delete-children']);
  });

  it('F43 F44 grants the user of a new tree everything, spelled as existing clients know it', () => {
    const acl = rootAcl('alice@wonderland.lit');
    expect(normaliseAcl(acl)).toBe(acl);
    expect(JSON.parse(acl).owner).toContain('acl-write');
    for (const owner of ['alice@wonderland.lit', 'sister@realworld.lit']) {
      expect(rightsOf('alice@wonderland.lit', owner, [compileAcl(acl)], NO_GROUPS)).toBe(2047);
    }
    expect(rightsOf('queen@wonderland.lit', 'alice@wonderland.lit', [compileAcl(acl)], NO_GROUPS)).toBe(0);
  });

  it('F45 leaves out what a newer version may have stored', () => {
    const acl = compileAcl(
      '{"other":["read-data","read-minds",5],"owner":{"minds":["read"],"acl":"read"},"robots":["read-acl"]}',
    );
    expect(rightNames(rightsOf('a@x', 'a@x', [acl], NO_GROUPS))).toEqual(['read-data', 'read-attachment']);
  });
});
