/** What objects hold after requests, and what of it each reader sees (PROTOCOL §4, §5). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALICE, BOB, openWorld, QUEEN, WONDERLAND, type World } from './world.ts';

let world: World;
let count = 0;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** A new object of alice's. */
async function created(body: unknown = {}): Promise<string> {
  const id = `${ALICE}/object${count++}`;
  expect(await world.create(ALICE, id, body)).toMatchObject({ status: 200 });
  return id;
}

describe('server-managed fields', () => {
  it('F36 F37 F38 sets owner, btime and mtime, whatever a body says of them', async () => {
    const forged = { owner: BOB, btime: '1970-01-01T00:00:00Z', mtime: '1970-01-01T00:00:00Z' };
    const id = await created({ ...forged, data: 1 });
    const before = await world.see(ALICE, id);
    expect(before).toEqual({ owner: ALICE, btime: before['mtime'], mtime: '2026-01-01T00:00:00.000Z', data: 1 });
    world.time.now += 1_000;
    await world.update(ALICE, id, { ...forged, data: 2 });
    expect(await world.see(ALICE, id)).toEqual({ ...before, mtime: '2026-01-01T00:00:01.000Z', data: 2 });
    world.time.now -= 1_000;
  });

  it('F36 the creator owns the object, also in the tree of somebody else', async () => {
    const id = await created({ acl: { users: { [BOB]: ['write-children', 'read-data'] } } });
    await world.create(BOB, `${id}/bobs`, { data: 1 });
    expect(await world.see(ALICE, `${id}/bobs`)).toMatchObject({ owner: BOB });
  });

  it('F38 an UPDATE that changes nothing leaves mtime and tag as they are', async () => {
    const id = await created({ data: { a: 1, b: [1, 2] }, acl: { other: ['read-data'] }, type: 'x' });
    const before = await world.select(ALICE, id);
    world.time.now += 1_000;
    const same = { data: { b: [1, 2] }, acl: {}, type: 'x', attachment: {}, subscriptions: {}, mtime: '0' };
    const answer = await world.update(ALICE, id, same);
    world.time.now -= 1_000;
    expect(answer.fields).toEqual(before.fields);
    expect(await world.select(ALICE, id)).toEqual(before);
  });

  it('F51 an UPDATE that changes nothing needs no right', async () => {
    const id = await created({ data: 1, acl: { other: ['read-data'] } });
    expect((await world.update(BOB, id, { data: 1, acl: {}, owner: BOB })).status).toBe(200);
    expect((await world.update(BOB, id, { data: 2 })).status).toBe(403);
  });
});

describe('UPDATE as a merge patch', () => {
  it('F28 merges data, acl and subscriptions, and removes by null', async () => {
    const id = await created({
      data: { keep: 1.1, drop: 2 },
      type: 'text/plain',
      acl: { other: ['read-data'], users: { [BOB]: ['read-data'], [QUEEN]: ['read-acl'] } },
      subscriptions: { [BOB]: { events: ['updated'], depth: 1 }, [QUEEN]: { events: ['deleted'], depth: -1 } },
    });
    await world.update(ALICE, id, {
      data: { drop: null, add: { a: 1 } },
      type: null,
      acl: { other: null, users: { [BOB]: null } },
      subscriptions: { users: { [BOB]: null, [QUEEN]: { depth: 0 } } },
    });
    const { btime: _btime, mtime: _mtime, ...rest } = await world.see(ALICE, id);
    expect(rest).toEqual({
      owner: ALICE,
      data: { keep: 1.1, add: { a: 1 } },
      acl: { users: { [QUEEN]: ['read-acl'] } },
      subscriptions: { [QUEEN]: { events: ['deleted'], depth: 0 } },
    });
  });

  it('F39 keeps the digits of numbers', async () => {
    const id = await created('{"data":{"big":12345678901234567890,"price":1.10}}');
    await world.update(ALICE, id, '{"data":{"more":-0.0e1}}');
    const { body } = await world.select(ALICE, id);
    expect(body).toContain('"data":{"big":12345678901234567890,"price":1.10,"more":-0.0e1}');
  });

  it('F42 F48 changes groups only with write-acl too, and takes their names in any spelling', async () => {
    const owner = `grouper@${WONDERLAND}`;
    await world.register(owner);
    const groups = `${owner}/config/groups`;
    await world.create(owner, `${owner}/club`, { acl: { groups: { friends: ['read-data'] } }, data: 'secret' });
    await world.update(owner, groups, { acl: { users: { [BOB]: ['read-data', 'write-data'] } } });
    expect((await world.update(BOB, groups, { data: { friends: [BOB] } })).status).toBe(403);
    expect((await world.select(BOB, `${owner}/club`)).status).toBe(403);
    expect((await world.update(owner, groups, { data: { friends: [`Bob@${WONDERLAND}`] } })).status).toBe(200);
    expect((await world.select(BOB, `${owner}/club`)).status).toBe(200);
    expect((await world.update(owner, groups, { data: { friends: ['bob'] } })).status).toBe(400);
    await world.update(owner, groups, { data: { friends: null } });
    expect((await world.select(BOB, `${owner}/club`)).status).toBe(403);
  });

  it('F42 lets nobody make or remove groups who may not change rights', async () => {
    const owner = `grouper2@${WONDERLAND}`;
    await world.register(owner);
    await world.create(owner, `${owner}/club`, { acl: { groups: { friends: ['read-data'] } } });
    const rights = { acl: { users: { [BOB]: ['read-data', 'write-children', 'delete-children'] } } };
    await world.update(owner, owner, rights);
    expect((await world.delete(BOB, `${owner}/config/groups`)).status).toBe(403);
    expect((await world.delete(BOB, `${owner}/config`)).status).toBe(403);
    expect((await world.delete(owner, `${owner}/config/groups`)).status).toBe(200);
    const mine = { data: { friends: [BOB] } };
    expect((await world.create(BOB, `${owner}/config/groups`, mine)).status).toBe(403);
    expect((await world.create(owner, `${owner}/config/groups`, { data: 7 })).status).toBe(400);
    expect((await world.create(owner, `${owner}/config/groups`, mine)).status).toBe(200);
    expect((await world.select(BOB, `${owner}/club`)).status).toBe(200);
  });

  it('F39 takes objects and ACLs up to their limits', async () => {
    const fits = { data: 'x'.repeat(200_000) };
    const id = await created(fits);
    expect((await world.update(ALICE, id, { type: 'y'.repeat(100_000) })).status).toBe(413);
    expect((await world.create(ALICE, `${id}/big`, { data: 'x'.repeat(300_000) })).status).toBe(413);
    const users = (number: number) =>
      Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`user${number + i}@${WONDERLAND}`, ['read-data']]));
    expect((await world.update(ALICE, id, { acl: { users: users(0) } })).status).toBe(200);
    const over = await world.update(ALICE, id, { acl: { users: users(300) } });
    expect(over).toMatchObject({ status: 413, message: expect.stringContaining('acl') });
    expect((await world.create(ALICE, `${id}/c`, { acl: { users: { ...users(0), ...users(300) } } })).status).toBe(413);
  });
});

describe('subscriptions', () => {
  it('F48 only the owner of object or tree may change those of others', async () => {
    const acl = { users: { [BOB]: ['write-subscriptions', 'read-subscriptions'], [QUEEN]: ['read-data'] } };
    const id = await created({ acl });
    const one = (user: string) => ({ subscriptions: { [user]: { events: ['Updated'] } } });
    expect((await world.update(BOB, id, one(BOB))).status).toBe(200);
    expect((await world.update(BOB, id, one(QUEEN))).status).toBe(403);
    expect((await world.update(QUEEN, id, one(QUEEN))).status).toBe(403);
    expect((await world.update(ALICE, id, one(QUEEN))).status).toBe(200);
    expect((await world.update(BOB, id, { subscriptions: null })).status).toBe(403);
    const entry = { events: ['updated'], depth: 0 };
    expect(await world.see(BOB, id)).toMatchObject({ subscriptions: { [BOB]: entry, [QUEEN]: entry } });
    expect(await world.see(QUEEN, id)).not.toHaveProperty('subscriptions');
    expect((await world.update(ALICE, id, { subscriptions: null })).status).toBe(200);
    expect(await world.see(ALICE, id)).not.toHaveProperty('subscriptions');
  });

  it('F51 an object with more than 10,000 shows each reader their own alone', async () => {
    const id = await created({ acl: { other: ['read-subscriptions'] } });
    const subscribe = (from: number, length: number) => {
      const entries = Array.from({ length }, (_, i) => [`s${from + i}@x.lit`, { events: ['created'] }]);
      return world.update(ALICE, id, { subscriptions: Object.fromEntries(entries) });
    };
    for (let from = 0; from < 10_000; from += 2_000) {
      expect((await subscribe(from, 2_000)).status).toBe(200);
    }
    const all = await world.see(QUEEN, id);
    expect(Object.keys(all['subscriptions'] ?? {})).toHaveLength(10_000);
    await world.update(ALICE, id, { subscriptions: { [BOB]: { events: ['deleted'], depth: 2 } } });
    expect(await world.see(QUEEN, id)).not.toHaveProperty('subscriptions');
    expect(await world.see(BOB, id)).toMatchObject({ subscriptions: { [BOB]: { events: ['deleted'], depth: 2 } } });
    await world.update(ALICE, id, { subscriptions: { 's5@x.lit': null } });
    expect(Object.keys((await world.see(QUEEN, id))['subscriptions'] ?? {})).toHaveLength(10_000);
  });
});

describe('LIST', () => {
  it('F30 names children in the order of their bytes', async () => {
    const id = await created();
    const names = ['b', 'a', 'B', '%2F', 'ü', 'a-b', 'a.b', '\u{1F600}', '\uFB01', 'aa'];
    for (const name of names) {
      await world.create(ALICE, `${id}/${name}`);
      await world.create(ALICE, `${id}/${name}/below`);
    }
    const inOrder = names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(JSON.parse((await world.list(ALICE, id)).body)).toEqual(inOrder);
    const pages: string[][] = [];
    let after: string | undefined;
    do {
      const { body, fields } = await world.list(ALICE, id, { limit: '3', ...(after === undefined ? {} : { after }) });
      pages.push(JSON.parse(body));
      after = fields['next'];
    } while (after !== undefined);
    expect(pages.map(({ length }) => length)).toEqual([3, 3, 3, 1]);
    expect(pages.flat()).toEqual(inOrder);
    expect((await world.list(ALICE, id, { limit: '10' })).fields['next']).toBeUndefined();
    expect((await world.list(ALICE, id, { limit: '-1' })).status).toBe(400);
  });

  it('F30 asks for pages where the names are too many for one answer', async () => {
    await using small = await openWorld({ limits: { listNames: 2 }, users: [ALICE] });
    await small.create(ALICE, `${ALICE}/a`);
    const whole = await small.list(ALICE, ALICE);
    expect(whole).toMatchObject({ status: 200, body: '["a","config"]' });
    await small.create(ALICE, `${ALICE}/b`);
    expect(await small.list(ALICE, ALICE)).toMatchObject({ status: 413, message: expect.stringContaining('page') });
    expect(await small.list(ALICE, ALICE, { limit: '9' })).toMatchObject({ body: '["a","b"]', fields: { next: 'b' } });
  });

  it('has a tag of its own, which changes with the children', async () => {
    const id = await created();
    const { fields } = await world.list(ALICE, id);
    const tag = fields['etag'] ?? '';
    expect((await world.list(ALICE, id, { 'if-none-match': tag })).status).toBe(304);
    await world.create(ALICE, `${id}/child`);
    expect((await world.list(ALICE, id, { 'if-none-match': tag })).status).toBe(200);
    expect((await world.list(ALICE, id, { 'if-match': tag })).status).toBe(412);
  });
});

describe('what is not there', () => {
  it('F34 F46 is judged by what was created above it since', async () => {
    const id = await created({ acl: { users: { [BOB]: ['read-data'] } } });
    expect((await world.select(BOB, `${id}/a/b`)).status).toBe(404);
    await world.create(ALICE, `${id}/a`, { acl: { users: { [BOB]: ['not-read-data'] } } });
    expect((await world.select(BOB, `${id}/a/b`)).status).toBe(403);
    expect((await world.select(ALICE, `${id}/a/b`)).status).toBe(404);
    await world.create(ALICE, `${id}/a/b`);
    expect((await world.select(ALICE, `${id}/a/b`)).status).toBe(200);
  });
});

describe('DELETE', () => {
  it('F29 F35 takes the whole subtree and nothing else', async () => {
    const id = await created();
    for (const path of ['/a', '/a/b', '/a/b/c', '/a-b', '/a-b/c', '/a0', '/aa', '/a.']) {
      await world.create(ALICE, id + path);
      await world.see(ALICE, id + path);
    }
    await world.delete(ALICE, `${id}/a`);
    expect(JSON.parse((await world.list(ALICE, id)).body)).toEqual(['a-b', 'a.', 'a0', 'aa']);
    expect((await world.select(ALICE, `${id}/a-b/c`)).status).toBe(200);
    for (const path of ['/a', '/a/b', '/a/b/c']) {
      expect((await world.select(ALICE, id + path)).status).toBe(404);
    }
    await world.create(ALICE, `${id}/a`);
    expect((await world.select(ALICE, `${id}/a/b`)).status).toBe(404);
  });
});
