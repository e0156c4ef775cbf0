/** What is not to be learnt by those without the right: by status, by tag, by condition (PROTOCOL §4, §10). */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Listing } from '../src/store/store.ts';
import { ALICE, BOB, openWorld, over, type World } from './world.ts';

let world: World;
let count = 0;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** An object of alice's on which bob holds these rights. */
async function given(rights: readonly string[], body: object = { data: 1 }): Promise<{ id: string; tag: string }> {
  const id = `${ALICE}/object${count++}`;
  const { fields } = await world.create(ALICE, id, { ...body, acl: { users: { [BOB]: rights } } });
  return { id, tag: fields['etag'] ?? '' };
}

describe('F30 F48 LIST', () => {
  it('S10 tells by no tag which children there are', async () => {
    const { id } = await given(['write-attachment']);
    await world.create(ALICE, `${id}/hidden`);
    const tag = `"${createHash('sha256').update('["hidden"]').digest('base64url').slice(0, 22)}"`;
    expect((await world.list(ALICE, id, { 'if-match': tag })).status).toBe(200);
    const plain = await world.list(BOB, id);
    expect(plain.status).toBe(403);
    for (const header of ['if-match', 'if-none-match']) {
      for (const value of [tag, '"other"', '*']) {
        expect(await world.list(BOB, id, { [header]: value })).toEqual(plain);
      }
    }
  });

  it('looks for no names where they may not be seen', async () => {
    const listings: Listing[] = [];
    await using watched = await openWorld({
      wrapStore: (store) =>
        over(store, {
          async listing(tree, path, query) {
            const listing = await store.listing(tree, path, query);
            listings.push(listing);
            return listing;
          },
        }),
    });
    await watched.create(ALICE, `${ALICE}/a`, { acl: { users: { [BOB]: ['read-data'] } } });
    await watched.create(ALICE, `${ALICE}/a/b`);
    const statuses = ['/a', '', '/a/none'].map(async (path) => (await watched.list(BOB, ALICE + path)).status);
    expect(await Promise.all(statuses)).toEqual([403, 403, 404]);
    expect(listings.map(({ names }) => names)).toEqual([[], [], []]);
    expect((await watched.list(ALICE, `${ALICE}/a`)).body).toBe('["b"]');
  });
});
