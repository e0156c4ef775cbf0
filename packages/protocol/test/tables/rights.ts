import assert from 'node:assert/strict';
import { compileAcl, normaliseAcl, parseGroups, rightNames, rightsOf } from '../../src/index.ts';
import { tableOf } from './cases.ts';

interface RightsCase {
  readonly name: string;
  readonly owner: string;
  readonly levels: readonly unknown[];
  readonly groups?: unknown;
  readonly granted: Readonly<Record<string, readonly string[]>>;
}

function check({ owner, levels, groups, granted }: RightsCase, textOf: (acl: string) => string | undefined): void {
  const compiled = levels.map((acl) => compileAcl(acl === null ? undefined : textOf(JSON.stringify(acl))));
  const members = parseGroups(JSON.stringify(groups));
  for (const [user, names] of Object.entries(granted)) {
    assert.deepEqual(rightNames(rightsOf(user, owner, compiled, members)), names, user);
  }
}

/** By the ACLs as they are written, and as they are stored. */
export const rights = tableOf<RightsCase>('rights.json', (entry) => {
  check(entry, (acl) => acl);
  check(entry, (acl) => normaliseAcl(acl));
});
