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

describe('S10 tags', () => {
  const TAG = /^"\d+"$/;
  const readable = ['read-acl', 'write-data', 'write-attachment'];
  const hidden = ['write-data', 'write-attachment', 'write-acl', 'write-children'];

  it.each([
    ['a read right', readable, expect.stringMatching(TAG)],
    ['none', hidden, undefined],
  ])('are told by a change to who holds %s', async (_, rights, etag) => {
    const { id } = await given(rights);
    expect((await world.update(BOB, id, {})).fields['etag']).toEqual(etag);
    expect((await world.update(BOB, id, { data: 2 })).fields['etag']).toEqual(etag);
    expect((await world.write(BOB, id, `key of ${id}`)).fields['etag']).toEqual(etag);
  });

  it('are told by the rights after the change', async () => {
    const { id } = await given(hidden);
    const blind = {
      acl: { owner: ['data', 'acl', 'subscriptions', 'attachment', 'children'].map((noun) => `not-read-${noun}`) },
    };
    const mine = await world.create(BOB, `${id}/unreadable`, blind);
    expect(mine.fields).not.toHaveProperty('etag');
    const { fields } = await world.create(BOB, `${id}/readable`);
    expect(fields['etag']).toMatch(TAG);
    expect((await world.update(BOB, `${id}/readable`, blind)).fields).not.toHaveProperty('etag');
    const seeing = { acl: { owner: ['read-acl'] } };
    expect((await world.update(BOB, `${id}/readable`, seeing)).fields['etag']).toMatch(TAG);
  });

  it('name nothing in the conditions of who holds no read right', async () => {
    const { id } = await given([...hidden, 'delete-children']);
    await world.create(ALICE, `${id}/child`, { acl: { users: { [BOB]: ['not-read-data'] } } });
    const own = (await world.select(ALICE, id)).fields['etag'] ?? '';
    const child = (await world.select(ALICE, `${id}/child`)).fields['etag'] ?? '';
    const requests: readonly (readonly [
      tag: string,
      send: (headers: Record<string, string>) => Promise<{ status: number }>,
    ])[] = [
      [own, (headers) => world.update(BOB, id, {}, headers)],
      [own, (headers) => world.beginFile(BOB, id, `key of ${id}`, headers)],
      [child, (headers) => world.create(BOB, `${id}/child`, '', headers)],
      [child, (headers) => world.delete(BOB, `${id}/child`, headers)],
    ];
    for (const [tag, send] of requests) {
      for (const value of [tag, '"0"', `${tag}, "0"`]) {
        expect(await send({ 'if-match': value })).toMatchObject({
          status: 412,
          message: expect.stringContaining('read'),
        });
      }
    }
    const passed = async (headers: Record<string, string>) =>
      (await Promise.all(requests.slice(0, 3).map(([, send]) => send(headers)))).map(({ status }) => status);
    expect(await passed({ 'if-none-match': `${own}, ${child}` })).toEqual([200, 200, 409]);
    expect(await passed({ 'if-none-match': '"0"' })).toEqual([200, 200, 409]);
    expect(await passed({ 'if-match': '*' })).toEqual([200, 200, 409]);
    expect((await world.delete(BOB, `${id}/child`, { 'if-none-match': child })).status).toBe(200);
  });
});
