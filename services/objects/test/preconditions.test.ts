/** ETag, If-Match and If-None-Match on every request (PROTOCOL §10). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALICE, BOB, openWorld, type World } from './world.ts';

let world: World;
let count = 0;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

async function created(body: unknown = { data: 1 }): Promise<{ id: string; tag: string }> {
  const id = `${ALICE}/object${count++}`;
  const { fields } = await world.create(ALICE, id, body);
  return { id, tag: fields['etag'] ?? '' };
}

/** `=` stands for the object's tag. */
const CASES: readonly (readonly [header: 'if-match' | 'if-none-match', value: string, read: number, change: number])[] =
  [
    ['if-match', '=', 200, 200],
    ['if-match', '*', 200, 200],
    ['if-match', '"0", =', 200, 200],
    ['if-match', '"0"', 412, 412],
    ['if-match', 'W/=', 412, 412],
    ['if-match', '0', 400, 400],
    ['if-match', '"a" "b"', 400, 400],
    ['if-none-match', '"0"', 200, 200],
    ['if-none-match', '=', 304, 412],
    ['if-none-match', 'W/=', 304, 412],
    ['if-none-match', '*', 304, 412],
    ['if-none-match', '"0",=', 304, 412],
    ['if-none-match', '', 400, 400],
  ];

describe('preconditions', () => {
  it.each(CASES)('%s: %s lets a read be %i and a change %i', async (header, value, read, change) => {
    const { id, tag } = await created();
    const headers = { [header]: value.replace('=', tag) };
    expect((await world.select(ALICE, id, headers)).status).toBe(read);
    expect((await world.update(ALICE, id, { data: 2 }, headers)).status).toBe(change);
    const second = await created();
    const again = { [header]: value.replace('=', second.tag) };
    expect((await world.beginFile(ALICE, second.id, `key of ${second.id}`, again)).status).toBe(change);
    expect((await world.delete(ALICE, second.id, again)).status).toBe(change);
  });

  it('CREATE only where there is nothing: If-None-Match: * is 412 where it would be 409', async () => {
    const { id } = await created();
    expect((await world.create(ALICE, id, '', { 'if-none-match': '*' })).status).toBe(412);
    expect((await world.create(ALICE, `${id}/new`, '', { 'if-none-match': '*' })).status).toBe(200);
    expect((await world.create(ALICE, `${id}/newer`, '', { 'if-match': '*' })).status).toBe(412);
  });

  it('F34 comes after 404 and the missing right, and before 405 and 409', async () => {
    const { id } = await created({ acl: { other: ['read-data', 'read-attachment'] } });
    expect((await world.update(ALICE, `${id}/none`, {}, { 'if-match': '*' })).status).toBe(404);
    expect((await world.update(BOB, id, { data: 2 }, { 'if-match': '"0"' })).status).toBe(403);
    expect((await world.update(BOB, id, {}, { 'if-match': '"0"' })).status).toBe(412);
    expect((await world.beginFile(BOB, id, 'key', { 'if-match': '"0"' })).status).toBe(403);
    expect((await world.openFile(BOB, id, { 'if-match': '"0"' })).status).toBe(404);
    expect((await world.delete(BOB, id, { 'if-match': '"0"' })).status).toBe(403);
    expect((await world.create(BOB, `${id}/none/a`, '', { 'if-none-match': '*' })).status).toBe(412);
    for (const header of ['if-match', 'if-none-match']) {
      expect((await world.create(BOB, `${id}/new`, '', { [header]: '*' })).status).toBe(403);
    }
    expect((await world.delete(ALICE, ALICE, { 'if-match': '"0"' })).status).toBe(412);
    expect((await world.delete(ALICE, ALICE, { 'if-match': '*' })).status).toBe(405);
    expect((await world.create(ALICE, id, '', { 'if-match': '"0"' })).status).toBe(412);
    expect((await world.create(ALICE, id, '', { 'if-match': '*' })).status).toBe(409);
  });

  it('F34 is read before anything is judged', async () => {
    for (const header of ['if-match', 'if-none-match']) {
      expect((await world.select(BOB, ALICE, { [header]: '0' })).status).toBe(400);
      expect((await world.delete(BOB, `${ALICE}/none`, { [header]: '0' })).status).toBe(400);
    }
  });

  it('F39 says what stood against it', async () => {
    const { id } = await created();
    const nothing = await world.create(ALICE, `${id}/new`, '', { 'if-match': '"1"' });
    expect(nothing.message).toContain('there is no object');
    expect((await world.update(ALICE, id, {}, { 'if-match': '"1"' })).message).toContain('has changed');
  });

  it('tells who may not read nothing by 304', async () => {
    const { id, tag } = await created({ acl: { other: ['write-data'] } });
    expect((await world.select(BOB, id, { 'if-none-match': tag })).status).toBe(403);
  });

  it('no tag ever means two versions, not even of two objects of one name', async () => {
    const { id, tag } = await created();
    const tags = [tag];
    const note = async () => tags.push((await world.select(ALICE, id)).fields['etag'] ?? '');
    await world.update(ALICE, id, { data: 2 });
    await note();
    await world.write(ALICE, id, `key of ${id}`);
    await note();
    await world.update(ALICE, id, { attachment: { name: 'x' } });
    await note();
    await world.delete(ALICE, id);
    await world.create(ALICE, id, { data: 1 });
    await note();
    expect(new Set(tags).size).toBe(5);
  });

  it('of two writers with the same tag one alone succeeds', async () => {
    const { id, tag } = await created();
    const writes = [1, 2, 3, 4].map((data) => world.update(ALICE, id, { data: { data } }, { 'if-match': tag }));
    const statuses = (await Promise.all(writes)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 412, 412, 412]);
  });
});
