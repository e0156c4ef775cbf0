import { describe, expect, it } from 'vitest';
import { compileAcl, NO_GROUPS, normaliseAcl, RIGHTS, rightNames, rightsOf, rootAcl } from '../src/index.ts';
import { maskOf } from './tables/cases.ts';

describe('rights', () => {
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
